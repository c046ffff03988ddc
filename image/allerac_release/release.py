"""One bundle on offer: the `custom` part of its TUF target, which boxes decide by."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from tuf.api.metadata import TargetFile

from allerac_image.errors import BadInput

from .version import Version


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """A version for a tier. `percentage` is the share of boxes that take it by themselves.

    `evidence` names the table beside the bundle (`sha256`) and why it has gaps (`despite`).
    """

    tier: str
    version: str
    channel: str
    percentage: int
    halted: bool
    minimum_version: str
    manifest_hash: str
    notes: Mapping[str, str]
    released_at: str
    evidence: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no box could act on."""
        if not 0 <= self.percentage <= 100:
            raise BadInput(f"{self.percentage} is no percentage: 0 to 100.")
        if Version.read(self.minimum_version) > self.order:
            raise BadInput(
                f"{self.minimum_version} cannot be the least version that may take {self.version}."
            )

    @property
    def order(self) -> Version:
        """What says which of two releases is newer."""
        return Version.read(self.version)

    @property
    def path(self) -> str:
        """The target path: the same for a bundle in every channel."""
        return f"{self.tier}/{self.version}/allerac-{self.tier}-{self.version}.raucb"

    @classmethod
    def of(cls, target: TargetFile) -> Self:
        """Read a target; raise `BadInput` when it was not published by this tool."""
        custom: Any = target.custom
        names = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(custom, dict) or {*custom, "evidence"} != names:  # older ones have none
            raise BadInput(f"The target {target.path} is no release of Allerac.")
        return cls(**custom)

    def described(self, target: TargetFile) -> TargetFile:
        """Return `target` with this as its description."""
        return TargetFile(
            target.length, target.hashes, self.path, {"custom": dataclasses.asdict(self)}
        )
