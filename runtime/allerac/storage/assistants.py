"""Assistants, and which of them answers in a conversation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, or_, select, update

from allerac.errors import Forbidden, NotFound

from .account_rows import moment_of
from .conversation_rows import milliseconds
from .database import Database
from .ids import new_id
from .knowledge import readable
from .knowledge_tables import (
    assistant,
    assistant_file,
    assistant_narrowing,
    conversation_scope,
    knowledge_file,
)
from .tables import conversation, person


@dataclass(frozen=True, slots=True)
class AssistantRecord:
    """An assistant; unless it is narrowed it looks into all that its person may read.

    `file_ids` are those of its documents that are left and that whoever asked may read.
    """

    id: str
    person_id: str
    visibility: str
    name: str
    description: str
    avatar: str
    instructions: str
    model_id: str | None
    temperature: float | None
    max_tokens: int | None
    starters: tuple[str, ...]
    uses_knowledge: bool
    file_ids: tuple[str, ...]
    is_narrowed: bool
    deleted_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ConversationScope:
    """Who answers in a conversation and where it looks."""

    assistant_id: str | None = None
    uses_knowledge: bool = True
    folder: str | None = None


class AssistantStore:
    """The tables `assistant` and `conversation_scope`; everything carries its person."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, person_id: str, *, deleted: bool = False) -> Sequence[AssistantRecord]:
        """List what the person may use, or what they deleted."""
        state = assistant.c.deleted_at.is_not(None) if deleted else assistant.c.deleted_at.is_(None)
        where = assistant.c.person_id == person_id if deleted else _usable(person_id)
        query = select(assistant).where(state, where).order_by(assistant.c.id)
        return await self._database.read(
            lambda connection: [
                _record(connection, row, person_id) for row in connection.execute(query)
            ]
        )

    async def get(self, person_id: str, assistant_id: str) -> AssistantRecord:
        """Return an assistant that the person may use. Raises `NotFound`."""
        return await self._database.read(
            lambda connection: _get(connection, person_id, assistant_id)
        )

    async def add(self, person_id: str, values: Mapping[str, Any]) -> AssistantRecord:
        """Add an assistant of the person's; documents narrow it, and so does `is_narrowed`."""

        def work(connection: Connection) -> AssistantRecord:
            fields, assistant_id = dict(values), new_id()
            files, now = fields.pop("file_ids", ()), milliseconds(datetime.now(UTC))
            narrowed = fields.pop("is_narrowed", False) or bool(files)
            home = connection.scalar(select(person.c.household_id).where(person.c.id == person_id))
            times = {"created_at": now, "updated_at": now}
            connection.execute(
                insert(assistant).values(
                    id=assistant_id, person_id=person_id, household_id=home, **times, **fields
                )
            )
            _put_files(connection, person_id, assistant_id, files, narrowed=narrowed)
            return _get(connection, person_id, assistant_id)

        return await self._database.write(work)

    async def change(
        self, person_id: str, assistant_id: str, values: Mapping[str, Any]
    ) -> AssistantRecord:
        """Change fields of the person's own. Raises `Forbidden` for another's.

        Where none of its documents is left, to choose none again does not widen what it sees;
        only `is_narrowed` false does.
        """

        def work(connection: Connection) -> AssistantRecord:
            before = _require_own(connection, person_id, assistant_id)
            fields = dict(values)
            looks = {
                name: fields.pop(name) for name in ("file_ids", "is_narrowed") if name in fields
            }
            if looks:
                files, narrowed = _looks(before, **looks)
                _put_files(connection, person_id, assistant_id, files, narrowed=narrowed)
            now = milliseconds(datetime.now(UTC))
            where = assistant.c.id == assistant_id
            connection.execute(update(assistant).where(where).values(**fields, updated_at=now))
            return _get(connection, person_id, assistant_id)

        return await self._database.write(work)

    async def set_deleted(self, person_id: str, assistant_id: str, *, deleted: bool) -> None:
        """Delete so that it can be restored, or restore."""

        def work(connection: Connection) -> None:
            _require_own(connection, person_id, assistant_id)
            when = milliseconds(datetime.now(UTC)) if deleted else None
            where = assistant.c.id == assistant_id
            connection.execute(update(assistant).where(where).values(deleted_at=when))

        await self._database.write(work)

    async def scope(self, person_id: str, conversation_id: str) -> ConversationScope:
        """Return who answers in a conversation of the person's. Raises `NotFound`."""
        query = (
            select(conversation_scope)
            .join(conversation, conversation.c.id == conversation_scope.c.conversation_id)
            .where(conversation.c.id == conversation_id, conversation.c.person_id == person_id)
        )

        def work(connection: Connection) -> ConversationScope:
            row = connection.execute(query).first()
            if row is None:
                return ConversationScope()
            return ConversationScope(row.assistant_id, row.uses_knowledge, row.folder)

        return await self._database.read(work)

    async def set_scope(
        self, person_id: str, conversation_id: str, scope: ConversationScope
    ) -> None:
        """Decide who answers in a conversation. Raises `NotFound`."""

        def work(connection: Connection) -> None:
            owner = select(conversation.c.person_id).where(conversation.c.id == conversation_id)
            if connection.scalar(owner) != person_id:
                raise NotFound("There is no such conversation.")
            if scope.assistant_id is not None:
                _get(connection, person_id, scope.assistant_id)
            where = conversation_scope.c.conversation_id == conversation_id
            connection.execute(delete(conversation_scope).where(where))
            connection.execute(
                insert(conversation_scope).values(
                    conversation_id=conversation_id,
                    assistant_id=scope.assistant_id,
                    uses_knowledge=scope.uses_knowledge,
                    folder=scope.folder,
                )
            )

        await self._database.write(work)


def _usable(person_id: str) -> ColumnElement[bool]:
    member = select(person.c.id).where(person.c.id == person_id, person.c.role != "guest")
    shared = and_(assistant.c.visibility == "household", member.exists())
    return or_(assistant.c.person_id == person_id, shared)


def _get(connection: Connection, person_id: str, assistant_id: str) -> AssistantRecord:
    query = select(assistant).where(assistant.c.id == assistant_id, _usable(person_id))
    row = connection.execute(query).first()
    if row is None or (row.deleted_at is not None and row.person_id != person_id):
        raise NotFound("There is no such assistant.")
    return _record(connection, row, person_id)


def _require_own(connection: Connection, person_id: str, assistant_id: str) -> AssistantRecord:
    found = _get(connection, person_id, assistant_id)
    if found.person_id != person_id:
        raise Forbidden("This assistant belongs to somebody else.", hint="Make a copy of it.")
    return found


def _looks(
    before: AssistantRecord,
    *,
    file_ids: Sequence[str] | None = None,
    is_narrowed: bool | None = None,
) -> tuple[Sequence[str], bool]:
    """Return into which documents it looks from now on, and whether into these alone."""
    if file_ids is None:
        return (before.file_ids, True) if is_narrowed else ((), False)
    if is_narrowed is None:
        is_narrowed = before.is_narrowed and not before.file_ids
    return file_ids, is_narrowed or bool(file_ids)


def _put_files(
    connection: Connection,
    person_id: str,
    assistant_id: str,
    file_ids: Sequence[str],
    *,
    narrowed: bool,
) -> None:
    wanted = set(file_ids)
    known = select(knowledge_file.c.id).where(knowledge_file.c.id.in_(wanted), readable(person_id))
    if set(connection.scalars(known)) != wanted:
        raise NotFound("There is no such document.")
    where = assistant_file.c.assistant_id == assistant_id
    connection.execute(delete(assistant_file).where(where))
    for file_id in sorted(wanted):
        connection.execute(
            insert(assistant_file).values(assistant_id=assistant_id, file_id=file_id)
        )
    connection.execute(
        delete(assistant_narrowing).where(assistant_narrowing.c.assistant_id == assistant_id)
    )
    if narrowed:
        connection.execute(insert(assistant_narrowing).values(assistant_id=assistant_id))


def _record(connection: Connection, row: Row[Any], person_id: str) -> AssistantRecord:
    """Return a row with the documents that `person_id` may read."""
    query = (
        select(assistant_file.c.file_id)
        .join(knowledge_file, knowledge_file.c.id == assistant_file.c.file_id)
        .where(assistant_file.c.assistant_id == row.id, readable(person_id))
        .order_by(assistant_file.c.file_id)
    )
    narrowing = select(assistant_narrowing).where(assistant_narrowing.c.assistant_id == row.id)
    deleted = None if row.deleted_at is None else moment_of(row.deleted_at)
    return AssistantRecord(
        id=row.id,
        person_id=row.person_id,
        visibility=row.visibility,
        name=row.name,
        description=row.description,
        avatar=row.avatar,
        instructions=row.instructions,
        model_id=row.model_id,
        temperature=row.temperature,
        max_tokens=row.max_tokens,
        starters=tuple(row.starters),
        uses_knowledge=row.uses_knowledge,
        file_ids=tuple(connection.scalars(query)),
        is_narrowed=connection.execute(narrowing).first() is not None,
        deleted_at=deleted,
        created_at=moment_of(row.created_at),
        updated_at=moment_of(row.updated_at),
    )
