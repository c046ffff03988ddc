"""How the device was: its samples, its issues, and what it did, in a file of their own.

The file is the device's, not the household's: a flood of samples never touches conversations, no
backup carries it, and `sqlite-utils` opens it on the command line. All of it is bounded. What is
damaged is set aside and begun anew, for nothing here is dear to anybody.
"""

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pysqlite3.dbapi2 as sqlite3
import structlog

from allerac.errors import StorageUnavailable
from allerac.storage.rows import Rows

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Level:
    """One table of samples: a row every `seconds`, at most `rows`."""

    table: str
    seconds: int
    rows: int


LEVELS: Final = (
    Level("sample_10s", 10, 24 * 360),
    Level("sample_1min", 60, 7 * 24 * 60),
    Level("sample_15min", 900, 30 * 24 * 4),
)
ISSUES: Final = "issue"
RECORDS: Final = "engine_record"
ALERTS: Final = "alert"
REACTIONS: Final = "reaction"
STARTS: Final = "start"
PAST_ISSUES: Final = 1000
PAST_REACTIONS: Final = 1000
STARTS_SECONDS: Final = 3600.0
FUTURE: Final = timedelta(days=1)
"""Samples further ahead were taken while the clock was wrong."""

Values = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StoredIssue:
    """An issue as it is kept; `ended_at` is None while it lasts."""

    id: str
    code: str
    subject: str
    severity: str
    evidence: Mapping[str, Any]
    first_seen_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """A change of an issue that is still to be told; without a `channel` it waits for all."""

    kind: str
    channel: str
    tries: int
    issue: StoredIssue


@dataclass(frozen=True, slots=True)
class StoredReaction:
    """What the device did about itself by the reaction's code; `ended_at` is None while it does."""

    code: str
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredStart:
    """A start of the runtime: `steady` seconds after the machine's boot, at the time of day `wall`.

    `boot` is the kernel's name of that boot; `wall` is in seconds since 1970.
    """

    boot: str
    steady: float
    wall: float


class DeviceHistory:
    """The file `health.sqlite`. Every method blocks, until no other thread uses it.

    All raise `StorageUnavailable` while the disk is full or cannot be written.
    """

    def __init__(self, path: Path, levels: Sequence[Level] = LEVELS) -> None:
        self._path = path
        self._levels = levels
        self._rows: Rows | None = None
        self._alone = threading.RLock()

    def close(self) -> None:
        """Let go of the file."""
        with self._alone:
            if self._rows is not None:
                self._rows.close()
                self._rows = None

    def add(self, samples: Sequence[tuple[datetime, Values]], now: datetime) -> None:
        """Keep samples, fold them into the coarser levels, and drop what is too old."""
        if not samples:
            return
        rows = [{"at": _milliseconds(at), **values} for at, values in samples]
        first = min(_milliseconds(at) for at, _ in samples)
        with self._writing() as database:
            database.keep(self._levels[0].table, rows, ["at"])
            for below, level in pairwise(self._levels):
                _fold(database, below, level, first)
            for level in self._levels:
                _bound(database, level, now)

    def series(self, level: Level, since: datetime, step_seconds: int) -> list[dict[str, Any]]:
        """Return rows `at` and means of every value, one for each `step_seconds`, in order."""
        with self._reading() as database:
            columns = _columns(database, level)
            if not columns:
                return []
            step = step_seconds * 1000
            means = ", ".join(f"avg([{name}]) AS [{name}]" for name in columns)
            query = (
                f"SELECT at / {step} * {step} AS at, {means} FROM {level.table} "  # noqa: S608 - names are ours
                "WHERE at >= ? GROUP BY 1 ORDER BY 1"
            )
            rows = database.query(query, [_milliseconds(since)])
            return [{**row, "at": _moment(row["at"])} for row in rows]

    def keep_issue(self, issue: StoredIssue) -> None:
        """Write an issue down, new or changed."""
        with self._writing() as database:
            database.keep(ISSUES, [_row(issue)], ["id"])
            database.execute(
                f"DELETE FROM {ISSUES} WHERE ended_at IS NOT NULL AND id NOT IN "  # noqa: S608 - names are ours
                f"(SELECT id FROM {ISSUES} ORDER BY first_seen_at DESC LIMIT {PAST_ISSUES})"
            )

    def keep_records(self, records: Mapping[str, float]) -> None:
        """Write down the best speed of each model."""
        rows = [{"model_id": model, "tokens_per_second": best} for model, best in records.items()]
        with self._writing() as database:
            database.keep(RECORDS, rows, ["model_id"])

    def records(self) -> dict[str, float]:
        """Return the best speed of each model, in tokens a second."""
        with self._reading() as database:
            rows = database.read(RECORDS)
            return {row["model_id"]: row["tokens_per_second"] for row in rows}

    def issues(self, *, lasting: bool, limit: int = PAST_ISSUES) -> list[StoredIssue]:
        """Return issues that last, or those that are over, the newest first."""
        with self._reading() as database:
            where = "ended_at IS NULL" if lasting else "ended_at IS NOT NULL"
            rows = database.read(ISSUES, where, order="first_seen_at DESC", limit=limit)
            return [_issue(row) for row in rows]

    def issues_since(self, since: datetime) -> list[StoredIssue]:
        """Return issues that last, or were not over at `since`, the newest first."""
        with self._reading() as database:
            rows = database.read(
                ISSUES,
                "ended_at IS NULL OR ended_at >= ?",
                [_milliseconds(since)],
                order="first_seen_at DESC",
                limit=PAST_ISSUES,
            )
            return [_issue(row) for row in rows]

    def keep_reactions(self, reactions: Sequence[StoredReaction]) -> None:
        """Write down what the device began to do, or does no more."""
        rows = [
            {
                "code": reaction.code,
                "began_at": _milliseconds(reaction.began_at),
                "ended_at": None if reaction.ended_at is None else _milliseconds(reaction.ended_at),
            }
            for reaction in reactions
        ]
        with self._writing() as database:
            database.keep(REACTIONS, rows, ["code", "began_at"])
            database.execute(
                f"DELETE FROM {REACTIONS} WHERE rowid NOT IN "  # noqa: S608 - names are ours
                f"(SELECT rowid FROM {REACTIONS} ORDER BY began_at DESC LIMIT {PAST_REACTIONS})"
            )

    def reactions_since(self, since: datetime) -> list[StoredReaction]:
        """Return what the device does, or still did at `since`, the newest first."""
        with self._reading() as database:
            rows = database.read(
                REACTIONS,
                "ended_at IS NULL OR ended_at >= ?",
                [_milliseconds(since)],
                order="began_at DESC",
            )
            return [
                StoredReaction(
                    row["code"], _moment(row["began_at"]), _moment_or_none(row["ended_at"])
                )
                for row in rows
            ]

    def end_reactions(self) -> None:
        """End those that it still did when it was last seen: they ended with the process."""
        finest = self._levels[0].table
        with self._writing() as database:
            if not database.columns(REACTIONS) or not database.columns(finest):
                return
            database.execute(
                f"UPDATE {REACTIONS} SET ended_at = "  # noqa: S608 - names are ours
                f"max(began_at, (SELECT max(at) FROM {finest})) WHERE ended_at IS NULL"
            )

    def keep_alerts(self, alerts: Sequence[StoredAlert]) -> None:
        """Write down all that is still to be told, in place of what was before."""
        rows = [
            {
                "position": position,
                "kind": alert.kind,
                "channel": alert.channel,
                "tries": alert.tries,
                **_row(alert.issue),
            }
            for position, alert in enumerate(alerts)
        ]
        with self._writing() as database:
            if database.columns(ALERTS):
                database.execute(f"DELETE FROM {ALERTS}")  # noqa: S608 - the name is ours
            database.keep(ALERTS, rows, ["position"])

    def alerts(self) -> list[StoredAlert]:
        """Return what is still to be told, in order."""
        with self._reading() as database:
            return [
                StoredAlert(row["kind"], row["channel"], row["tries"], _issue(row))
                for row in database.read(ALERTS, order="position")
            ]

    def note_start(self, start: StoredStart) -> list[StoredStart]:
        """Keep a start; return those since the boot, of which the first and the last hour stay."""
        with self._writing() as database:
            database.keep(STARTS, [asdict(start)], ["boot", "steady"])
            database.execute(
                f"DELETE FROM {STARTS} WHERE boot != ? OR steady < ? AND steady > "  # noqa: S608 - names are ours
                f"(SELECT min(steady) FROM {STARTS} WHERE boot = ?)",
                [start.boot, start.steady - STARTS_SECONDS, start.boot],
            )
            return [StoredStart(**row) for row in database.read(STARTS, order="steady")]

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Rows]:
        with self._reading() as database, database.together():
            yield database

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Rows]:
        with self._alone, self._named():
            yield self._opened()

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Say of an error what it means; a damaged file is set aside."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            self.close()
            if _is_damage(error):
                log.warning("device_history_begun_anew", reason=str(error))
                self._path.replace(self._path.with_suffix(".damaged"))
            raise StorageUnavailable("The box's diary cannot be written.") from error
        except OSError as error:
            self.close()
            raise StorageUnavailable("The box's diary cannot be written.") from error

    def _opened(self) -> Rows:
        if self._rows is None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            connection = sqlite3.connect(str(self._path), check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA cache_size=-256")  # KiB; rows are written and seldom read
            self._rows = Rows(connection)
        return self._rows


def _is_damage(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _columns(database: Rows, level: Level) -> list[str]:
    return [name for name in database.columns(level.table) if name != "at"]


def _fold(database: Rows, below: Level, level: Level, since: int) -> None:
    """Write the means of `below` from the step of `since` on into `level`."""
    step = level.seconds * 1000
    columns = _columns(database, below)
    query = (
        f"SELECT at / {step} * {step} AS at, "  # noqa: S608 - names are ours
        + ", ".join(f"avg([{name}]) AS [{name}]" for name in columns)
        + f" FROM {below.table} WHERE at >= ? GROUP BY 1"
    )
    database.keep(level.table, database.query(query, [since // step * step]), ["at"])


def _bound(database: Rows, level: Level, now: datetime) -> None:
    """Keep the newest rows. Counted, not dated: a clock that jumps ahead must not empty it."""
    database.execute(
        f"DELETE FROM {level.table} WHERE at > ? OR at <= "  # noqa: S608 - names are ours
        f"(SELECT at FROM {level.table} ORDER BY at DESC LIMIT 1 OFFSET {level.rows})",
        [_milliseconds(now + FUTURE)],
    )


def _row(issue: StoredIssue) -> dict[str, Any]:
    return {
        "id": issue.id,
        "code": issue.code,
        "subject": issue.subject,
        "severity": issue.severity,
        "evidence": json.dumps(dict(issue.evidence), default=repr, ensure_ascii=False),
        "first_seen_at": _milliseconds(issue.first_seen_at),
        "last_seen_at": _milliseconds(issue.last_seen_at),
        "ended_at": None if issue.ended_at is None else _milliseconds(issue.ended_at),
    }


def _issue(row: Mapping[str, Any]) -> StoredIssue:
    return StoredIssue(
        id=row["id"],
        code=row["code"],
        subject=row["subject"],
        severity=row["severity"],
        evidence=json.loads(row["evidence"]),
        first_seen_at=_moment(row["first_seen_at"]),
        last_seen_at=_moment(row["last_seen_at"]),
        ended_at=_moment_or_none(row["ended_at"]),
    )


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _moment_or_none(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else _moment(milliseconds)
