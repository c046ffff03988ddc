"""What the gate says of a new version, told across the boot slots."""

from dataclasses import dataclass
from typing import Protocol

from allerac.storage.updates import UpdateRecord


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether `version` proved itself; `reason` names the proof that failed first.

    `attempt` is the id of the update in the history, None where the gate did not know it.
    """

    version: str
    passed: bool
    reason: str | None = None
    detail: str | None = None
    attempt: str | None = None


class Verdicts(Protocol):
    """Where the gate leaves its last verdict, readable from either slot."""

    async def last(self) -> Verdict | None:
        """Return the last verdict; None when there is none or it cannot be read."""


def is_about(verdict: Verdict, record: UpdateRecord) -> bool:
    """Tell whether it is the verdict on this update, and not on an earlier try of the same."""
    if verdict.attempt is not None:
        return verdict.attempt == record.history_id
    version = record.offer.get("version") if record.offer else None
    return version in {None, verdict.version}
