"""The catalogue of models: each file pinned once, profiles refer to it by id."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from allerac.yaml_files import read_yaml

Kind = Literal["chat", "embedding", "reranker"]
Grade = Literal["A", "B", "C", "D"]
Licence = Literal["apache-2.0", "mit"]
"""Licences under which a box may be sold with the model on board. Others are not offered."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Revision = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
ModelId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,127}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\.gguf$")]


class ModelPin(BaseModel):
    """One model file, exactly: where it comes from and what it must be.

    `kv_bytes_per_token` is for an f16 cache. `active_bytes` and `active_parameters` are what one
    token reads and computes; they equal the whole for dense models.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: ModelId
    title: str
    description: str
    kind: Kind
    family: str
    quantisation: str
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    file: FileName
    revision: Revision | None
    size_bytes: Annotated[int, Field(gt=0)] | None
    sha256: Sha256 | None
    licence: Licence
    context_length: Annotated[int, Field(gt=0)]
    kv_bytes_per_token: Annotated[int, Field(ge=0)]
    active_bytes: Annotated[int, Field(gt=0)]
    active_parameters: Annotated[int, Field(gt=0)]
    grade: Grade

    @property
    def refusal(self) -> str | None:
        """Why this pin cannot be offered for download or be a default; None when it can."""
        if self.grade not in ("A", "B"):
            return f"its pin has grade {self.grade}; only A and B are good enough"
        if self.revision is None:
            return "its pin names no revision"
        if self.sha256 is None or self.size_bytes is None:
            return "its pin lacks the hash or the size"
        return None


def load_pins(path: Path) -> Mapping[str, ModelPin]:
    """Read the catalogue at `path`; raises `pydantic.ValidationError` or `ValueError`."""
    pins = TypeAdapter(list[ModelPin]).validate_python(read_yaml(path))
    by_id = {pin.id: pin for pin in pins}
    if len(by_id) != len(pins):
        raise ValueError(f"{path.name}: two models have the same id")
    return by_id
