"""What the ledger says of units: where each one stands, and which serials are taken."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .ledger import Act, Ledger
from .plan import Issued

BEGUN, WRITTEN, IDENTIFIED, MODELS, READY = "begun", "written", "identified", "models", "ready"
MAKING = (BEGUN, WRITTEN, IDENTIFIED, MODELS)
FAILED, REFUSED, REVOKED = "failed", "refused", "revoked"
BURNED_IN, LABELLED, SCANNED, RELEASED = "burned-in", "labelled", "scanned", "released"
SCAN_REFUSED, RETURNED = "scan-refused", "returned"
FURTHEST = (
    REVOKED,
    RETURNED,
    FAILED,
    RELEASED,
    SCANNED,
    LABELLED,
    BURNED_IN,
    READY,
    *reversed(MAKING),
)


@dataclass(slots=True)
class UnitHistory:
    """One unit: its acts since it was last begun, what was wanted of it then, and what was observed
    last under each name.
    """

    serial: str
    batch: str = ""
    drive: str = ""
    acts: set[str] = field(default_factory=set)
    wanted: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """The furthest it came, in a word; what went wrong comes first."""
        return next((act for act in FURTHEST if act in self.acts), BEGUN)

    @property
    def is_finished(self) -> bool:
        """Whether its drive is written and good, and it was not taken back."""
        return READY in self.acts and not self.acts & {REVOKED, RETURNED}

    @property
    def has_passed(self) -> bool | None:
        """Whether it passed its burn-in, None before."""
        return bool(self.facts["passed"]) if BURNED_IN in self.acts else None

    def take(self, act: Act) -> None:
        """Go on by one act."""
        if act.act == BEGUN:
            self.batch, self.drive = act.batch, str(act.intended["drive"])
            self.acts.clear()
            self.facts.clear()
            self.wanted = dict(act.intended)
        self.acts.add(act.act)
        self.facts.update(act.observed)


def histories(acts: Iterable[Act]) -> dict[str, UnitHistory]:
    """Return serial → history of every unit that was begun."""
    units: dict[str, UnitHistory] = {}
    for act in acts:
        if act.unit and (act.act == BEGUN or act.unit in units):
            units.setdefault(act.unit, UnitHistory(act.unit)).take(act)
    return units


def issued(ledger: Ledger, batch: str) -> Issued:
    """Return what a new plan for `batch` must know of the past.

    A unit that failed keeps its serial for the same drive, in the same batch; one that came back
    keeps it in any.
    """
    units = histories(ledger.acts())
    own = [
        unit
        for unit in units.values()
        if REVOKED not in unit.acts and (unit.batch == batch or RETURNED in unit.acts)
    ]
    return Issued(
        serials=frozenset(units),
        unfinished={unit.drive: unit.serial for unit in own if not unit.is_finished},
        torn={unit.drive for unit in units.values() if not unit.acts & {READY, RETURNED}},
        finished={unit.serial: unit.drive for unit in units.values() if unit.is_finished},
    )
