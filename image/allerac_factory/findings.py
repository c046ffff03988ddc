"""What the ledger tells: numbers of a batch, one unit by whatever is known of it, a spreadsheet."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from .certificate import UNPROVEN, key_of, verify_certificate
from .history import (
    BEGUN,
    BURNED_IN,
    FAILED,
    READY,
    REFUSED,
    RELEASED,
    UnitHistory,
    histories,
)
from .identity import fingerprint_of
from .label import FINGERPRINT_SIGNS
from .ledger import Act, Ledger

FIELDS = (
    *("number", "at", "operator", "station", "batch", "unit", "act"),
    *("intended", "observed", "previous", "hash"),
)
DETAIL = re.compile("[:,]")
"""Behind it a refusal says of this drive alone what others of the same cause have otherwise."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A batch in numbers, also of units that were taken back or revoked since; `began` is when its
    first drive was begun.
    """

    batch: str
    begun: int
    written: int
    passed: int
    released: int
    began: datetime
    causes: Sequence[tuple[str, int]]
    made_at: Sequence[datetime]

    @property
    def units_per_hour(self) -> float | None:
        """How many drives were written in an hour, until the last one; None before there is one."""
        if not self.made_at:
            return None
        seconds = (max(self.made_at) - self.began).total_seconds()
        return len(self.made_at) / seconds * 3600 if seconds > 0 else None


def summaries(acts: Iterable[Act]) -> list[Summary]:
    """Return every batch in the order of its first act."""
    batches: dict[str, list[Act]] = {}
    for act in acts:
        if act.batch:
            batches.setdefault(act.batch, []).append(act)
    return [_summary(batch, own) for batch, own in batches.items()]


def find_units(ledger: Ledger, text: str) -> list[UnitHistory]:
    """Return the units that a serial, a scanned code, a device id or a drive's serial names."""
    wanted = {part.casefold() for part in text.replace("#", " ").replace("&", " ").split()}
    wanted |= {part.split("=", 1)[-1] for part in wanted}
    return [unit for unit in histories(ledger.acts()).values() if wanted & _names(unit)]


def problems(ledger: Ledger, head: str = "") -> list[str]:
    """Return what is wrong: a broken chain, or a birth certificate that its unit did not sign, or
    by another key than the label has.
    """
    found = list(ledger.problems(head))
    keys: dict[str, str] = {}
    for act in ledger.acts():
        if "device_pub" in act.observed:
            keys[act.unit] = str(act.observed["device_pub"])
        if act.act == BURNED_IN:
            try:
                _verify(act, keys.get(act.unit, "").encode())
            except UNPROVEN as error:
                reason = str(error) or "its signature is not the unit's"
                found.append(f"Act {act.number}: the birth certificate of {act.unit}: {reason}.")
    return found


def _verify(act: Act, given_key: bytes) -> None:
    document = act.observed["certificate"]
    verify_certificate(document, given_key)
    own = fingerprint_of(key_of(document, given_key))
    if act.observed.get("key_fingerprint", own) != own:
        raise ValueError("it is signed by another key than was written down")


def as_csv(acts: Iterable[Act]) -> str:
    """Return the acts as a spreadsheet; what was intended and observed is JSON in its cell."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(FIELDS)
    rows.writerows([_cell(getattr(act, name)) for name in FIELDS] for act in acts)
    return out.getvalue()


def as_json(acts: Iterable[Act]) -> str:
    """Return the acts as a list of objects."""
    listed = [{name: getattr(act, name) for name in FIELDS} for act in acts]
    return json.dumps(listed, indent=1, ensure_ascii=False) + "\n"


def _summary(batch: str, acts: Sequence[Act]) -> Summary:
    units = [unit for unit in histories(acts).values() if unit.batch == batch]
    causes = Counter(str(act.observed["cause"]) for act in acts if act.act == FAILED)
    causes += Counter(
        f"refused: {DETAIL.split(act.observed['reasons'][0])[0]}"
        for act in acts
        if act.act == REFUSED
    )
    causes += Counter(
        f"burn-in: {cause}"
        for act in acts
        if act.act == BURNED_IN and not act.observed["passed"]
        for cause in act.observed["failures"]
    )
    times = [datetime.fromisoformat(act.at) for act in acts]
    return Summary(
        batch=batch,
        begun=sum(BEGUN in unit.acts for unit in units),
        written=sum(READY in unit.acts for unit in units),
        passed=sum(unit.has_passed is True for unit in units),
        released=sum(RELEASED in unit.acts for unit in units),
        began=min(times),
        causes=causes.most_common(),
        made_at=[time for act, time in zip(acts, times, strict=True) if act.act == READY],
    )


def _names(unit: UnitHistory) -> set[str]:
    facts = unit.facts
    known = (
        *(unit.serial, unit.drive, facts.get("device_id"), facts.get("key_fingerprint")),
        *(facts.get("drive_serial"), facts.get("mac")),
    )
    names = {str(name).casefold() for name in known if name}
    fingerprint = str(facts.get("key_fingerprint", ""))
    return names | ({fingerprint[:FINGERPRINT_SIGNS]} if fingerprint else set())


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return str(value)
