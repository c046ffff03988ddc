"""What the build takes from a tier's hardware profile; the runtime's schema checks the file."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from allerac.yaml_files import read_yaml

from .errors import BadInput

CATALOGUE = "models"
"""The file in `hardware_profiles/` that is no tier."""


@dataclasses.dataclass(frozen=True, slots=True)
class Tier:
    """One tier; `profile` is the whole file, for the roles."""

    id: str
    profile: Mapping[str, Any]

    @property
    def image(self) -> Mapping[str, Any]:
        """What the tier's system is made of."""
        section: Mapping[str, Any] = self.profile["image"]
        return section

    @property
    def disk(self) -> Mapping[str, int]:
        """Sizes of the partitions in bytes."""
        section: Mapping[str, int] = self.profile["disk"]
        return section

    @property
    def packages(self) -> list[str]:
        """Debian packages beyond those every tier has."""
        image = self.image
        return [image["kernel"], *image["packages"], *image["firmware"]["packages"]]

    @property
    def compatible(self) -> str:
        """What RAUC compares before it installs a bundle."""
        return f"allerac-{self.id}"


def load_tier(name: str, folder: Path) -> Tier:
    """Read the tier `name`; raise `BadInput` naming those there are."""
    known = known_tiers(folder)
    if name not in known:
        raise BadInput(f"There is no tier {name!r}. Tiers: {', '.join(known)}.")
    return Tier(name, read_yaml(folder / f"{name}.yaml"))


def known_tiers(folder: Path) -> list[str]:
    """Return the names of the tiers that `folder` has a profile of."""
    return sorted(path.stem for path in folder.glob("*.yaml") if path.stem != CATALOGUE)
