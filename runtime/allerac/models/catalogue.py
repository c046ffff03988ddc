"""Which models there are: the pins, the demonstration model and what was imported."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from allerac.hardware.pin import FileName, ModelId, ModelPin, Sha256
from allerac.hardware.profile import Profile
from allerac.yaml_files import read_yaml


class DemoModel(BaseModel):
    """The model that comes with the program, so that it answers without any download."""

    model_config = ConfigDict(frozen=True)

    id: ModelId
    file: FileName
    size_bytes: Annotated[int, Field(gt=0)]
    sha256: Sha256
    context_length: Annotated[int, Field(gt=0)]
    answer_tokens: Annotated[int, Field(gt=0)]
    directory: Path

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self.directory / self.file


def load_demo_model(facts: Path) -> DemoModel:
    """Read the facts written beside the file; raises `OSError` or `pydantic.ValidationError`."""
    return DemoModel.model_validate(read_yaml(facts) | {"directory": facts.parent})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Pins by id and what the tier uses them for."""

    pins: Mapping[str, ModelPin]
    roles: Mapping[str, str]

    @classmethod
    def of(cls, profile: Profile, pins: Mapping[str, ModelPin]) -> "Catalogue":
        """Take every complete pin; those of `profile` carry its roles, the first one counts."""
        roles: dict[str, str] = {}
        for role, model_id in profile.models.roles():
            roles.setdefault(model_id, role)
        offered = {model_id: pin for model_id, pin in pins.items() if not pin.refusal}
        return cls(offered, roles)

    def role_of(self, pin: ModelPin) -> str:
        """Return the tier's role of `pin`, or what it is made for."""
        return self.roles.get(pin.id, "other" if pin.kind == "chat" else pin.kind)
