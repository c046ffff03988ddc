"""The work of taking documents in: who does it now, how far it is, and its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from allerac.errors import StorageDamaged

from .conversation_rows import milliseconds
from .database import Database
from .knowledge import change_file
from .knowledge_tables import knowledge_file, knowledge_job
from .passage_vectors import fill_near
from .passages import Chunk, count_indexed, put_chunks

Stage = Literal["extract", "embed", "index"]
FILLED_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A document to take in. `attempts` counts how often it was begun, this time included."""

    file_id: str
    stage: Stage
    attempts: int


class JobStore:
    """The table `knowledge_job`. A job is held by a lease; who holds it must renew it."""

    def __init__(self, database: Database, *, owner: str, lease: timedelta) -> None:
        self._database = database
        self._owner = owner
        self._lease = lease

    async def add(self, file_id: str, values: Mapping[str, Any] | None = None) -> None:
        """Let a document be taken in from the beginning, with the fields `values` set.

        Both or neither: a new version that nobody reads would never be found. Raises `NotFound`.
        """

        def work(connection: Connection) -> None:
            change_file(connection, file_id, values or {})
            connection.execute(delete(knowledge_job).where(knowledge_job.c.file_id == file_id))
            connection.execute(
                insert(knowledge_job).values(
                    file_id=file_id,
                    stage="extract",
                    done=0,
                    total=0,
                    attempts=0,
                    created_at=milliseconds(datetime.now(UTC)),
                )
            )
            _set_state(connection, file_id, "processing", None)

        await self._database.write(work)

    async def being_read(self) -> frozenset[tuple[str, int]]:
        """Return the ids and versions of the documents that are being taken in, or wait for it."""
        query = select(knowledge_file.c.id, knowledge_file.c.version).join(
            knowledge_job, knowledge_job.c.file_id == knowledge_file.c.id
        )
        return await self._database.read(
            lambda connection: frozenset((row.id, row.version) for row in connection.execute(query))
        )

    async def take(self, now: datetime) -> JobRecord | None:
        """Take the job that has waited longest and that nobody holds; None when there is none."""

        def work(connection: Connection) -> JobRecord | None:
            free = or_(
                knowledge_job.c.lease_until.is_(None),
                knowledge_job.c.lease_until <= milliseconds(now),
                knowledge_job.c.lease_owner == self._owner,
            )
            query = select(knowledge_job).where(free)
            order = (knowledge_job.c.attempts, knowledge_job.c.created_at, knowledge_job.c.file_id)
            row = connection.execute(query.order_by(*order).limit(1)).first()
            if row is None:
                return None
            connection.execute(
                update(knowledge_job)
                .where(knowledge_job.c.file_id == row.file_id)
                .values(
                    lease_owner=self._owner,
                    lease_until=milliseconds(now + self._lease),
                    attempts=row.attempts + 1,
                )
            )
            return JobRecord(row.file_id, row.stage, row.attempts + 1)

        return await self._database.write(work)

    async def next_free_at(self) -> datetime | None:
        """Return when the next job may be taken; None when there is none at all."""
        query = select(func.min(func.coalesce(knowledge_job.c.lease_until, 0)))
        earliest = await self._database.read(lambda connection: connection.scalar(query))
        return None if earliest is None else datetime.fromtimestamp(earliest / 1000, UTC)

    async def renew(self, file_id: str, now: datetime) -> bool:
        """Hold on to a job; False when it is not ours any more."""
        until = milliseconds(now + self._lease)
        return await self._update(file_id, lease_until=until)

    async def progress(self, file_id: str, stage: Stage, done: int, total: int) -> bool:
        """Say how far the stage is; False when the job is not ours any more."""

        def work(connection: Connection) -> bool:
            ours = _ours(file_id, self._owner)
            values = {"stage": stage, "done": done, "total": total}
            if not connection.execute(update(knowledge_job).where(*ours).values(values)).rowcount:
                return False
            state = "processing" if stage == "extract" else "indexing"
            _set_state(connection, file_id, state, None)
            return True

        return await self._database.write(work)

    async def put_back(self, file_id: str, *, attempted: bool) -> None:
        """Let go of a job so that it can be taken again."""

        def work(connection: Connection) -> None:
            less = knowledge_job.c.attempts - (0 if attempted else 1)
            values = {"lease_owner": None, "lease_until": None, "attempts": less}
            connection.execute(
                update(knowledge_job).where(*_ours(file_id, self._owner)).values(values)
            )

        await self._database.write(work)

    async def fail(self, file_id: str, reason: str) -> None:
        """End a job because of the document; `reason` is a key of `allerac.knowledge.reasons`."""

        def work(connection: Connection) -> None:
            ours = _ours(file_id, self._owner)
            if connection.execute(delete(knowledge_job).where(*ours)).rowcount:
                _set_state(connection, file_id, "failed", reason)

        await self._database.write(work)

    async def catch_up(self, after: int) -> int | None:
        """See `passage_vectors.fill_near`; only a few at once, so that others write between."""
        return await self._database.write(
            lambda connection: fill_near(connection, after, FILLED_AT_ONCE)
        )

    async def finish(
        self,
        file_id: str,
        model_id: str,
        pages: int | None,
        chunks: Sequence[Chunk],
        vectors: Sequence[bytes],
    ) -> bool:
        """Put everything into the indexes in one step and end the job; False if not ours any more.

        Raises `StorageDamaged` when the indexes then hold another number than was given.
        """

        def work(connection: Connection) -> bool:
            if not connection.execute(
                delete(knowledge_job).where(*_ours(file_id, self._owner))
            ).rowcount:
                return False
            where = knowledge_file.c.id == file_id
            file = connection.execute(select(knowledge_file).where(where)).one()
            put_chunks(connection, file, model_id, chunks, vectors)
            if set(count_indexed(connection, file_id)) != {len(chunks)}:
                raise StorageDamaged("The index of this document is not complete.")
            connection.execute(
                update(knowledge_file)
                .where(where)
                .values(
                    state="ready",
                    reason=None,
                    pages=pages,
                    chunks=len(chunks),
                    embedding_model_id=model_id,
                    indexed_version=file.version,
                    updated_at=milliseconds(datetime.now(UTC)),
                )
            )
            return True

        return await self._database.write(work)

    async def outdated(self, model_id: str) -> list[str]:
        """Return the documents read with another embedding model, or not at all for want of one."""
        is_other = and_(
            knowledge_file.c.state == "ready", knowledge_file.c.embedding_model_id != model_id
        )
        had_none = and_(knowledge_file.c.state == "failed", knowledge_file.c.reason == "no_model")
        query = select(knowledge_file.c.id).where(or_(is_other, had_none))
        return await self._database.read(lambda connection: list(connection.scalars(query)))

    async def _update(self, file_id: str, **values: object) -> bool:
        query = update(knowledge_job).where(*_ours(file_id, self._owner)).values(values)
        return await self._database.write(lambda connection: connection.execute(query).rowcount > 0)


def _ours(file_id: str, owner: str) -> tuple[ColumnElement[bool], ...]:
    return (knowledge_job.c.file_id == file_id, knowledge_job.c.lease_owner == owner)


def _set_state(connection: Connection, file_id: str, state: str, reason: str | None) -> None:
    connection.execute(
        update(knowledge_file)
        .where(knowledge_file.c.id == file_id)
        .values(state=state, reason=reason, updated_at=milliseconds(datetime.now(UTC)))
    )
