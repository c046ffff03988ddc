"""The database of the box: many readers, one writer, acknowledged after commit.

Everything that writes runs on one thread. Writes that wait together share one commit, each in a
savepoint of its own, and each is answered only after that commit has reached the disk.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from allerac.errors import StorageUnavailable

from .migrations import migrate
from .sqlite import DriverError, meaning_of, open_readers, open_writer, snapshot

log = structlog.get_logger()

Result = TypeVar("Result")
Work = Callable[[Connection], Result]

READERS = 3
WRITES_PER_COMMIT = 64


@dataclass(slots=True)
class _Write:
    """Something to do on the writer's thread, and where its result goes."""

    work: Work[Any]
    future: Future[Any]


class Database:
    """One SQLite file. `read` and `write` take a function of a connection and run it elsewhere.

    Both raise `StorageUnavailable` (locked, read-only, full) and `StorageDamaged`; when the cause
    is gone the next call works again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writes: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._read_engine: Engine | None = None

    async def open(self) -> None:
        """Create or migrate the database and start its threads."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        await asyncio.to_thread(self._prepare)
        self._read_engine = open_readers(self._path, READERS)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="database-read")
        self._writer = threading.Thread(target=self._write_loop, name="database-write")
        self._writer.start()

    async def close(self) -> None:
        """Finish what was begun and let go of the file."""
        if self._writer is None or self._readers is None or self._read_engine is None:
            return
        self._writes.put(None)
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._readers.shutdown)
        self._read_engine.dispose()
        self._writer = None

    async def read(self, work: Work[Result]) -> Result:
        """Return what `work` finds in one consistent view of the data."""
        if self._readers is None or self._writer is None:
            raise StorageUnavailable("The box is stopping.", hint="Try again in a moment.")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in a transaction and return its result once it is on the disk.

        An exception raised by `work` undoes what it did and is raised here.
        """
        if self._writer is None:
            raise StorageUnavailable("The box is stopping.", hint="Try again in a moment.")
        job = _Write(work, Future())
        self._writes.put(job)
        result: Result = await asyncio.shield(asyncio.wrap_future(job.future))
        return result

    async def snapshot(self, target: Path) -> None:
        """Copy the file as it is now to `target`, whole or not at all."""

        def copy() -> None:
            try:
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                snapshot(self._path, target)
            except (OSError, DriverError) as error:
                raise _not_copied() from error

        await asyncio.to_thread(copy)

    async def check_integrity(self) -> list[str]:
        """Return what is wrong with the file; nothing when it is sound.

        On a connection of its own: one that has searched before compares FTS5's cached totals with
        newer rows and reports damage that is not there (seen with SQLite 3.53.4).
        """

        def check() -> list[str]:
            engine = open_readers(self._path, 1)
            try:
                with engine.begin() as connection:
                    rows = connection.exec_driver_sql("PRAGMA integrity_check").scalars()
                    return [row for row in rows if row != "ok"]
            except DBAPIError as error:
                raise meaning_of(error) or error from error
            finally:
                engine.dispose()

        return await asyncio.to_thread(check)

    def _prepare(self) -> None:
        engine = open_writer(self._path)
        try:
            migrate(engine, self._path)
        except DBAPIError as error:
            raise meaning_of(error) or error from error
        except (OSError, DriverError) as error:
            raise _not_copied() from error
        finally:
            engine.dispose()

    def _read(self, work: Work[Result]) -> Result:
        if self._read_engine is None:
            raise StorageUnavailable("The box is stopping.", hint="Try again in a moment.")
        try:
            with self._read_engine.begin() as connection:
                return work(connection)
        except DBAPIError as error:
            raise meaning_of(error) or error from error

    def _write_loop(self) -> None:
        engine = open_writer(self._path)
        connection: Connection | None = None
        try:
            while (first := self._writes.get()) is not None:
                jobs = [first, *self._waiting()]
                stop = None in jobs
                connection = self._commit(engine, connection, [job for job in jobs if job])
                if stop:
                    break
        finally:
            if connection is not None:
                connection.close()
            engine.dispose()

    def _waiting(self) -> list[_Write | None]:
        jobs: list[_Write | None] = []
        with contextlib.suppress(queue.Empty):
            while len(jobs) < WRITES_PER_COMMIT:
                jobs.append(self._writes.get_nowait())
        return jobs

    def _commit(
        self, engine: Engine, connection: Connection | None, jobs: list[_Write]
    ) -> Connection | None:
        """Do `jobs` in one transaction; returns the connection to go on with, None to reopen."""
        outcomes: list[tuple[_Write, Any, BaseException | None]] = []
        try:
            connection = connection or engine.connect()
            with connection.begin():
                for job in jobs:
                    outcomes.append((job, *_attempt(connection, job)))
        except BaseException as error:  # noqa: BLE001 - every waiting caller learns of it
            told = (meaning_of(error) or error) if isinstance(error, DBAPIError) else error
            log.warning("commit_failed", reason=str(told))
            for job in jobs:
                job.future.set_exception(told)
            if connection is not None:
                connection.invalidate()
                connection.close()
            return None
        for job, result, failure in outcomes:
            if failure is not None:
                job.future.set_exception(failure)
            else:
                job.future.set_result(result)
        return connection


def _attempt(connection: Connection, job: _Write) -> tuple[Any, BaseException | None]:
    """Return the result of one write or why it failed; a broken disk ends the whole commit."""
    savepoint = connection.begin_nested()
    try:
        result = job.work(connection)
        savepoint.commit()
    except Exception as error:
        if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError):
            raise
        savepoint.rollback()
        return None, error
    return result, None


def _not_copied() -> StorageUnavailable:
    return StorageUnavailable(
        "The box's data could not be copied.",
        hint="Free some space: remove a model or delete what you do not need.",
    )
