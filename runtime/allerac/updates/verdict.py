"""What the gate says of a new version, told across the boot slots."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether `version` proved itself; `reason` names the proof that failed first."""

    version: str
    passed: bool
    reason: str | None = None
    detail: str | None = None


class Verdicts(Protocol):
    """Where the gate leaves its last verdict, readable from either slot."""

    async def last(self) -> Verdict | None:
        """Return the last verdict; None when there is none or it cannot be read."""


class NoVerdicts:
    """A box without a gate."""

    async def last(self) -> Verdict | None:
        """Nothing was ever judged."""
        return None
