"""What people asked the box to remember, and whether it may."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from allerac.errors import Conflict, NotFound

from .account_rows import moment_of
from .conversation_rows import milliseconds
from .database import Database
from .ids import new_id
from .knowledge_tables import memory, memory_switch
from .tables import conversation

MemoryState = Literal["kept", "proposed"]
MAX_MEMORIES = 200


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """A fact, and the conversation in which it was said.

    That is None for one written down directly, which has no `message_id` either, and for one whose
    conversation was removed for good.
    """

    id: str
    content: str
    state: MemoryState
    conversation_id: str | None
    conversation_title: str | None
    message_id: str | None
    created_at: datetime
    updated_at: datetime


def keep_memories_of(connection: Connection, conversation_id: str) -> None:
    """Let what is kept outlive its conversation; what was only proposed there goes with it."""
    where = (memory.c.conversation_id == conversation_id, memory.c.state == "kept")
    connection.execute(update(memory).where(*where).values(conversation_id=None))


class MemoryStore:
    """The table `memory`; each row belongs to one person and is seen by no other."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, person_id: str) -> Sequence[MemoryRecord]:
        """List a person's memories, the newest first."""
        query = _joined().where(memory.c.person_id == person_id).order_by(memory.c.id.desc())
        return await self._database.read(
            lambda connection: [_record(row) for row in connection.execute(query)]
        )

    async def add(
        self,
        person_id: str,
        content: str,
        *,
        state: MemoryState,
        conversation_id: str | None = None,
        message_id: str | None = None,
    ) -> MemoryRecord:
        """Keep a fact once. Raises `Conflict` beyond 200."""

        def work(connection: Connection) -> MemoryRecord:
            mine = memory.c.person_id == person_id
            same = connection.scalar(select(memory.c.id).where(mine, memory.c.content == content))
            if same is not None:
                return _one(connection, person_id, same)
            if (connection.scalar(select(func.count()).where(mine)) or 0) >= MAX_MEMORIES:
                raise Conflict("There is no room for more memories.", hint="Delete some first.")
            memory_id, now = new_id(), milliseconds(datetime.now(UTC))
            connection.execute(
                insert(memory).values(
                    id=memory_id,
                    person_id=person_id,
                    content=content,
                    state=state,
                    conversation_id=conversation_id,
                    message_id=message_id,
                    created_at=now,
                    updated_at=now,
                )
            )
            return _one(connection, person_id, memory_id)

        return await self._database.write(work)

    async def change(self, person_id: str, memory_id: str, **values: Any) -> MemoryRecord:
        """Change `content` or `state`. Raises `NotFound`."""

        def work(connection: Connection) -> MemoryRecord:
            now = milliseconds(datetime.now(UTC))
            where = (memory.c.id == memory_id, memory.c.person_id == person_id)
            connection.execute(update(memory).where(*where).values(**values, updated_at=now))
            return _one(connection, person_id, memory_id)

        return await self._database.write(work)

    async def remove(self, person_id: str, memory_id: str) -> None:
        """Forget for good. Raises `NotFound`."""

        def work(connection: Connection) -> None:
            _one(connection, person_id, memory_id)
            connection.execute(delete(memory).where(memory.c.id == memory_id))

        await self._database.write(work)

    async def is_enabled(self, person_id: str) -> bool:
        """Tell whether memories are used and proposed for this person; they are at first."""
        query = select(memory_switch.c.enabled).where(memory_switch.c.person_id == person_id)
        return await self._database.read(lambda connection: connection.scalar(query) is not False)

    async def set_enabled(self, person_id: str, *, enabled: bool) -> None:
        """Switch memories on or off; off keeps them but nobody reads them."""

        def work(connection: Connection) -> None:
            where = memory_switch.c.person_id == person_id
            connection.execute(delete(memory_switch).where(where))
            connection.execute(insert(memory_switch).values(person_id=person_id, enabled=enabled))

        await self._database.write(work)


def _joined() -> Any:
    joined = memory.outerjoin(conversation, conversation.c.id == memory.c.conversation_id)
    return select(memory, conversation.c.title).select_from(joined)


def _one(connection: Connection, person_id: str, memory_id: str) -> MemoryRecord:
    query = _joined().where(memory.c.id == memory_id, memory.c.person_id == person_id)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound("There is no such memory.")
    return _record(row)


def _record(row: Row[Any]) -> MemoryRecord:
    return MemoryRecord(
        id=row.id,
        content=row.content,
        state=row.state,
        conversation_id=row.conversation_id,
        conversation_title=row.title,
        message_id=row.message_id,
        created_at=moment_of(row.created_at),
        updated_at=moment_of(row.updated_at),
    )
