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
FURTHEST = (REVOKED, FAILED, RELEASED, SCANNED, LABELLED, BURNED_IN, READY, *reversed(MAKING))


@dataclass(slots=True)
class UnitHistory:
    """One unit: its acts since it was last begun, and what was observed last under each name."""

    serial: str
    batch: str = ""
    drive: str = ""
    acts: set[str] = field(default_factory=set)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """The furthest it came, in a word; what went wrong comes first."""
        return next((act for act in FURTHEST if act in self.acts), BEGUN)

    @property
    def is_finished(self) -> bool:
        """Whether its drive is written and good, and it was not taken back."""
        return READY in self.acts and REVOKED not in self.acts

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

    A unit that failed keeps its serial for the same drive, or a repaired one in its place.
    """
    units = histories(ledger.acts())
    own = [unit for unit in units.values() if unit.batch == batch and REVOKED not in unit.acts]
    return Issued(
        serials=frozenset(units),
        unfinished={unit.drive: unit.serial for unit in own if not unit.is_finished},
        finished={unit.serial: unit.drive for unit in units.values() if unit.is_finished},
    )
