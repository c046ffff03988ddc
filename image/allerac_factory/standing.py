"""Where a unit stands in a person's words, what went wrong with it, and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass

from .history import (
    BURNED_IN,
    FAILED,
    LABELLED,
    READY,
    RELEASED,
    RETURNED,
    REVOKED,
    SCANNED,
    UnitHistory,
)

GOOD: Mapping[str, tuple[str, str]] = {
    READY: ("written", "start it for its burn-in and collect its certificate"),
    BURNED_IN: ("passed its burn-in", "print its label"),
    LABELLED: ("labelled", "stick the label on and scan it"),
    SCANNED: ("scanned", "scan it again"),
    RELEASED: ("released", ""),
    RETURNED: ("came back", "write its drive by a job"),
}
"""Stage → how it is called, and what follows."""

INTERRUPTED = ("interrupted", "repeat the job")
NO_BURN_IN = ("written", "print its label")


@dataclass(frozen=True, slots=True)
class Standing:
    """`remark` is why, empty where all is well."""

    word: str
    next: str
    remark: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether the unit must not leave as it is."""
        return bool(self.remark)


def standing_of(unit: UnitHistory) -> Standing:
    """Return where a unit stands."""
    stage, facts = unit.stage, unit.facts
    if stage == REVOKED:
        return Standing("revoked", "", str(facts.get("revoked_because", "")))
    if stage == FAILED:
        return Standing("failed", "repeat the job, or use another drive", str(facts["message"]))
    if stage not in {RELEASED, RETURNED} and unit.has_passed is False:
        failures = ", ".join(facts["failures"])
        return Standing("failed its burn-in", "repair it and switch it on again", failures)
    if stage == READY and not unit.wanted.get("burn_in"):
        return Standing(*NO_BURN_IN)
    return Standing(*GOOD.get(stage, INTERRUPTED))
