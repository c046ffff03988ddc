"""How fast models are on this machine, and how well that was estimated: a file of the device.

Apart from the household's data, as `device_history` is and for the same reasons.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pysqlite3.dbapi2 as sqlite3
import structlog

from allerac.errors import StorageUnavailable
from allerac.storage.rows import Rows

log = structlog.get_logger()

CALIBRATIONS: Final = "calibration"
ESTIMATES: Final = "estimate"
CALIBRATIONS_KEPT: Final = 500
ESTIMATES_KEPT: Final = 2000


@dataclass(frozen=True, slots=True)
class Calibration:
    """Tokens a second of a model, measured on an idle box by the runtime `version`."""

    model_id: str
    version: str
    measured_at: datetime
    prefill_tokens_per_second: float
    decode_tokens_per_second: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds until the first word: what was told, and what it was."""

    model_id: str
    told_at: datetime
    estimated_seconds: float
    actual_seconds: float


class CalibrationStore:
    """The file at `path`. Every method blocks: call it from one thread at a time.

    All raise `StorageUnavailable` while the disk is full or cannot be written. A file that is
    damaged is set aside: what it held is measured again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, calibration: Calibration) -> None:
        """Keep a measurement."""
        self._insert(CALIBRATIONS, [asdict(calibration)], CALIBRATIONS_KEPT)

    def add_estimates(self, estimates: Sequence[Estimate]) -> None:
        """Keep how well the time to the first word was told."""
        self._insert(ESTIMATES, [asdict(estimate) for estimate in estimates], ESTIMATES_KEPT)

    def latest(self) -> list[Calibration]:
        """Return the newest measurement of each model."""
        rows = self._rows(CALIBRATIONS, "rowid")
        newest = {row["model_id"]: row for row in rows}
        return [
            Calibration(**{**row, "measured_at": _moment(row["measured_at"])})
            for row in newest.values()
        ]

    def estimates(self, limit: int) -> list[Estimate]:
        """Return the newest estimates, the newest first."""
        rows = self._rows(ESTIMATES, "rowid desc", limit)
        return [Estimate(**{**row, "told_at": _moment(row["told_at"])}) for row in rows]

    def _insert(self, table: str, rows: list[dict[str, Any]], kept: int) -> None:
        plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
        with self._opened() as database, database.together():
            database.keep(table, plain)
            database.execute(
                f"DELETE FROM {table} WHERE rowid NOT IN "  # noqa: S608 - names are ours
                f"(SELECT rowid FROM {table} ORDER BY rowid DESC LIMIT {kept})"
            )

    def _rows(self, table: str, order: str, limit: int | None = None) -> list[dict[str, Any]]:
        with self._opened() as database:
            return database.read(table, order=order, limit=limit)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Rows]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with contextlib.closing(sqlite3.connect(str(self._path))) as connection:
                yield Rows(connection)
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                log.warning("calibration_begun_anew", reason=str(error))
                self._path.replace(self._path.with_suffix(".damaged"))
            raise StorageUnavailable("The record of speeds cannot be used.") from error
        except OSError as error:
            raise StorageUnavailable("The record of speeds cannot be used.") from error


def _plain(value: object) -> object:
    return round(value.timestamp() * 1000) if isinstance(value, datetime) else value


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
