"""SQLite, from the `pysqlite3` wheel: connections, pragmas, and what its errors mean.

Versions before 3.51.3 can corrupt a WAL database when it is reset (https://sqlite.org/wal.html);
the system's own is older, which is why this is the only place that opens one.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pysqlite3.dbapi2 as driver
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, QueuePool

from allerac.errors import AlleracError, StorageDamaged, StorageUnavailable

BUSY_TIMEOUT_MILLISECONDS = 3000
WAL_PAGES = 1000
"""SQLite's own default for how often the writer moves the log into the database."""

PRAGMAS = {
    "busy_timeout": str(BUSY_TIMEOUT_MILLISECONDS),
    "foreign_keys": "ON",
    "synchronous": "FULL",
    "mmap_size": "0",
    "temp_store": "MEMORY",
}


def open_writer(path: Path) -> Engine:
    """Return the engine of the one connection that writes and checkpoints."""
    pragmas = {"journal_mode": "WAL", **PRAGMAS, "wal_autocheckpoint": str(WAL_PAGES)}
    return _engine(path, pragmas, "BEGIN IMMEDIATE", poolclass=NullPool)


def open_readers(path: Path, count: int) -> Engine:
    """Return the engine of up to `count` connections that only read."""
    pragmas = {**PRAGMAS, "query_only": "ON", "wal_autocheckpoint": "0"}
    return _engine(path, pragmas, "BEGIN", poolclass=QueuePool, pool_size=count, max_overflow=0)


def _engine(path: Path, pragmas: dict[str, str], begin: str, **pool: Any) -> Engine:
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        module=driver,
        connect_args={"check_same_thread": False},
        **pool,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        _take_in_vectors(connection)
        connection.isolation_level = None  # transactions are ours: see `begin`
        for name, value in pragmas.items():
            connection.execute(f"PRAGMA {name}={value}")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _take_in_vectors(connection: Any) -> None:
    """Load sqlite-vec, and nothing else ever."""
    connection.enable_load_extension(True)
    try:
        connection.load_extension(_vectors())
    finally:
        connection.enable_load_extension(False)


@cache
def _vectors() -> str:
    """Return where sqlite-vec is: its package is not imported, for that would bring in numpy.

    The name is that of `sqlite_vec.loadable_path`.
    """
    package = find_spec("sqlite_vec")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("sqlite-vec is not installed", name="sqlite_vec")
    return str(Path(package.origin).with_name("vec0"))


def snapshot(path: Path, target: Path) -> None:
    """Copy the database at `path` whole to `target`, also while it is in use."""
    scratch = target.with_name(f"{target.name}.part")
    scratch.unlink(missing_ok=True)
    source, copy = driver.connect(str(path)), driver.connect(str(scratch))
    try:
        source.backup(copy)
    except driver.Error:
        scratch.unlink()  # a full disk shall not stay full of the attempt
        raise
    finally:
        source.close()
        copy.close()
    scratch.replace(target)


DriverError: type[Exception] = driver.Error
"""What `snapshot` raises when the disk is full or fails."""


_FULL = StorageUnavailable(
    "The disk is full, so nothing more can be kept.",
    hint="Free some space: remove a model or delete what you do not need.",
)
_MEANINGS: dict[int, AlleracError] = {
    driver.SQLITE_FULL: _FULL,
    driver.SQLITE_BUSY: StorageUnavailable(
        "The box is busy with its data.", hint="Try again in a moment."
    ),
    driver.SQLITE_LOCKED: StorageUnavailable(
        "The box is busy with its data.", hint="Try again in a moment."
    ),
    driver.SQLITE_READONLY: StorageUnavailable(
        "The disk can only be read, so nothing can be kept.",
        hint="Restart the box; if it stays so, the disk may be failing.",
    ),
    driver.SQLITE_CANTOPEN: StorageUnavailable(
        "The box cannot reach its data.", hint="Check the disk, then restart the box."
    ),
    driver.SQLITE_IOERR: StorageUnavailable(
        "The disk did not take or give the data.",
        hint="Check that the disk has room; if it has, it may be failing.",
    ),
    driver.SQLITE_CORRUPT: StorageDamaged(
        "The box's data is damaged.", hint="Restore the last backup."
    ),
    driver.SQLITE_NOTADB: StorageDamaged(
        "The box's data is damaged.", hint="Restore the last backup."
    ),
}
"""Primary result codes (https://sqlite.org/rescode.html) and what a person is told."""


def meaning_of(error: DBAPIError) -> AlleracError | None:
    """Return what `error` means for a person, or None when it is a fault of the program."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    known = _MEANINGS.get(code & 0xFF) if isinstance(code, int) else None
    return type(known)(known.message, hint=known.hint) if known else None
