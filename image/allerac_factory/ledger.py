"""What was done to which unit, by whom and when: a book that is only ever added to.

Each act holds the hash of the one before, so that whoever alters, removes or inserts one breaks the
chain behind it. What was intended and what was observed are kept apart.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from allerac_image.errors import BadInput

BEGINNING = "0" * 64
"""The hash before the first act."""

COLUMNS = {
    "number": int,
    "at": str,
    "operator": str,
    "station": str,
    "batch": str,
    "unit": str,
    "act": str,
    "intended": str,
    "observed": str,
    "previous": str,
    "hash": str,
}
WAIT_SECONDS = 30
"""For another command of the same station to finish its act."""

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the book. `at` is ISO 8601 in UTC, `hash` covers everything else."""

    number: int
    at: str
    operator: str
    station: str
    batch: str
    unit: str
    act: str
    intended: Facts
    observed: Facts
    previous: str
    hash: str

    def computed_hash(self) -> str:
        """Return the hash that these contents have."""
        fields = [self.number, self.at, self.operator, self.station, self.batch, self.unit]
        fields += [self.act, dict(self.intended), dict(self.observed), self.previous]
        return hashlib.sha256(_canonical(fields).encode()).hexdigest()


class Ledger:
    """The book in the file `path`, written by `operator` at `station`."""

    def __init__(
        self,
        path: Path,
        operator: str = "",
        station: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        self._database = Database(connection)
        self._acts = self._database.table("acts")
        self._operator = operator
        self._station = station
        self._clock = clock
        with self._alone():
            self._prepare()

    def close(self) -> None:
        """Let go of the file."""
        self._database.conn.close()

    def add(
        self,
        act: str,
        *,
        batch: str = "",
        unit: str = "",
        intended: Facts | None = None,
        observed: Facts | None = None,
    ) -> Act:
        """Write an act; it is kept through a power cut when this returns."""
        with self._alone():
            number, previous = self._end()
            moment = self._clock().astimezone(UTC).isoformat(timespec="milliseconds")
            where = (self._operator, self._station, batch, unit, act)
            told = (dict(intended or {}), dict(observed or {}))
            open_act = Act(number + 1, moment.replace("+00:00", "Z"), *where, *told, previous, "")
            row = self._row(open_act)
            self._acts.insert({**row, "hash": open_act.computed_hash()})
        return self._act({**row, "hash": open_act.computed_hash()})

    def acts(self, *, unit: str = "", batch: str = "") -> Iterator[Act]:
        """Yield the acts in their order, those of one unit or batch if asked."""
        wanted = {key: value for key, value in (("unit", unit), ("batch", batch)) if value}
        where = " AND ".join(f"{key} = :{key}" for key in wanted) or None
        for row in self._acts.rows_where(where, wanted, order_by="number"):
            yield self._act(row)

    def head(self) -> str:
        """Return the hash of the last act; kept elsewhere, it proves that none was cut off."""
        return self._end()[1]

    def problems(self, head: str = "") -> Iterator[str]:
        """Yield what is wrong with the chain: nothing when every act is as it was written.

        `head` is what `head()` was once; it must be one of the hashes.
        """
        number, previous, seen = 0, BEGINNING, set()
        for act in self.acts():
            number += 1
            if act.number != number:
                yield f"Act {number} is missing; there is {act.number} instead."
                number = act.number
            if act.computed_hash() != act.hash:
                yield f"Act {act.number} ({act.act} {act.unit}) was altered."
            if act.previous != previous:
                yield f"Act {act.number} does not follow the one before it."
            previous = act.hash
            seen.add(act.hash)
        if head and head not in seen:
            yield "The end of the ledger was cut off, or it is another one: that head is not in it."

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            self._database.conn.execute("BEGIN IMMEDIATE")
        except sqlite3.DatabaseError as error:
            raise BadInput(f"The ledger cannot be written: {error}.") from error
        try:
            yield
        except BaseException:
            self._database.conn.execute("ROLLBACK")
            raise
        self._database.conn.execute("COMMIT")

    def _prepare(self) -> None:
        if "acts" in self._database.table_names():
            return
        self._acts.create(COLUMNS, pk="number", not_null=set(COLUMNS))
        self._acts.create_index(["unit"])
        for change in ("UPDATE", "DELETE"):
            self._database.conn.execute(
                f"CREATE TRIGGER no_{change.lower()} BEFORE {change} ON acts "
                "BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END"
            )

    def _end(self) -> tuple[int, str]:
        for row in self._acts.rows_where(order_by="number DESC", limit=1):
            return int(row["number"]), str(row["hash"])
        return 0, BEGINNING

    @staticmethod
    def _row(act: Act) -> dict[str, Any]:
        fields = {name: getattr(act, name) for name in COLUMNS}
        return {
            **fields,
            "intended": _canonical(act.intended),
            "observed": _canonical(act.observed),
        }

    @staticmethod
    def _act(row: Mapping[str, Any]) -> Act:
        return Act(
            **{
                **row,
                "intended": json.loads(row["intended"]),
                "observed": json.loads(row["observed"]),
            }
        )


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
