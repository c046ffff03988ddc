"""Conversations and messages as records, and the rows they are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, or_, select, true, update

from allerac.errors import Conflict, InvalidInput, NotFound

from .ids import new_id
from .search import Archived, Snippet
from .summaries import SummaryRecord
from .tables import conversation, message

AnswerStatus = Literal["complete", "streaming", "stopped", "failed", "interrupted"]
CHANGEABLE = frozenset({"title", "pinned", "archived", "leaf_id", "context_from_id", "model_id"})


@dataclass(frozen=True, slots=True)
class ConversationItem:
    """A conversation in a list; `snippet` only when it was searched for."""

    id: str
    title: str | None
    pinned: bool
    archived: bool
    model_id: str | None
    created_at: datetime
    updated_at: datetime
    snippet: Snippet | None = None


@dataclass(frozen=True, slots=True)
class ConversationRecord:
    """A conversation; `leaf_id` ends the branch that is shown."""

    id: str
    title: str | None
    pinned: bool
    archived: bool
    model_id: str | None
    leaf_id: str | None
    context_from_id: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A node of the tree; `generation_id` is the id of an answer, null for a person's message.

    `summary` stands for what leads to this message and itself, where there is one.
    """

    id: str
    conversation_id: str
    parent_id: str | None
    role: Literal["user", "assistant"]
    content: str
    status: AnswerStatus
    model_id: str | None
    error: dict[str, Any] | None
    usage: dict[str, Any] | None
    rating: Literal["up", "down"] | None
    sequence: int
    generation_id: str | None
    created_at: datetime
    summary: SummaryRecord | None = None


@dataclass(frozen=True, slots=True)
class AnswerUpdate:
    """How far an answer has come; `sequence` is the last event that `content` contains."""

    content: str
    sequence: int
    status: AnswerStatus
    error: Mapping[str, Any] | None = None
    usage: Mapping[str, Any] | None = None


def now() -> int:
    """Return the present in milliseconds since 1970."""
    return milliseconds(datetime.now(UTC))


def milliseconds(moment: datetime) -> int:
    """Return `moment` in milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def _moment(value: int) -> datetime:
    return datetime.fromtimestamp(value / 1000, UTC)


def conversation_of(row: Row[Any]) -> ConversationRecord:
    """Return the record of a row of `conversation`."""
    return ConversationRecord(
        id=row.id,
        title=row.title,
        pinned=row.pinned_at is not None,
        archived=row.archived_at is not None,
        model_id=row.model_id,
        leaf_id=row.leaf_id,
        context_from_id=row.context_from_id,
        created_at=_moment(row.created_at),
        updated_at=_moment(row.updated_at),
    )


def item_of(row: Row[Any], snippet: Snippet | None = None) -> ConversationItem:
    """Return a list's item of a row of `conversation`."""
    record = conversation_of(row)
    return ConversationItem(
        id=record.id,
        title=record.title,
        pinned=record.pinned,
        archived=record.archived,
        model_id=record.model_id,
        created_at=record.created_at,
        updated_at=record.updated_at,
        snippet=snippet,
    )


def message_of(row: Row[Any], summary: SummaryRecord | None = None) -> MessageRecord:
    """Return the record of a row of `message`, with the summary that ends with it."""
    return MessageRecord(
        id=row.id,
        conversation_id=row.conversation_id,
        parent_id=row.parent_id,
        role=row.role,
        content=row.content,
        status=row.status,
        model_id=row.model_id,
        error=row.error,
        usage=row.usage,
        rating=row.rating,
        sequence=row.sequence,
        generation_id=row.id if row.role == "assistant" else None,
        created_at=_moment(row.created_at),
        summary=summary,
    )


def own_conversation(
    connection: Connection, person_id: str, conversation_id: str, *, deleted: bool = False
) -> Row[Any]:
    """Return the row if it belongs to the person. Raises `NotFound`."""
    query = select(conversation).where(
        conversation.c.id == conversation_id, conversation.c.person_id == person_id
    )
    if not deleted:
        query = query.where(conversation.c.deleted_at.is_(None))
    row = connection.execute(query).first()
    if row is None:
        raise NotFound("There is no such conversation.", hint="It may have been deleted.")
    return row


def own_message(connection: Connection, person_id: str, message_id: str) -> Row[Any]:
    """Return the row if its conversation belongs to the person. Raises `NotFound`."""
    query = (
        select(message)
        .join(conversation, conversation.c.id == message.c.conversation_id)
        .where(message.c.id == message_id, conversation.c.person_id == person_id)
        .where(conversation.c.deleted_at.is_(None))
    )
    row = connection.execute(query).first()
    if row is None:
        raise NotFound("There is no such message.", hint="It may have been deleted.")
    return row


def require_in(connection: Connection, conversation_id: str, message_id: str) -> Row[Any]:
    """Return the message's row if it is in the conversation. Raises `NotFound`."""
    query = select(message).where(
        message.c.id == message_id, message.c.conversation_id == conversation_id
    )
    row = connection.execute(query).first()
    if row is None:
        raise NotFound("There is no such message in this conversation.")
    return row


def require_question(connection: Connection, conversation_id: str, message_id: str) -> None:
    """Raise `NotFound` as `require_in` does, `InvalidInput` for an answer.

    Reading begins with a person's message: templates of some models refuse an answer first.
    """
    if require_in(connection, conversation_id, message_id).role != "user":
        raise InvalidInput(
            "The model cannot begin reading at an answer.",
            hint="Choose the message above it.",
            fields={"context_from_id": "is an answer"},
        )


def sent_before(
    connection: Connection, conversation_id: str, client_id: str
) -> tuple[MessageRecord, MessageRecord] | None:
    """Return the message of `client_id` with its first answer, or None."""
    query = select(message).where(
        message.c.conversation_id == conversation_id, message.c.client_id == client_id
    )
    asked = connection.execute(query).first()
    if asked is None:
        return None
    below = select(message).where(message.c.parent_id == asked.id).order_by(message.c.id).limit(1)
    answer = connection.execute(below).first()
    if answer is None:
        raise Conflict("This message has no answer.", hint="Send it again.")
    return message_of(asked), message_of(answer)


def add_message(connection: Connection, conversation_id: str, **values: Any) -> MessageRecord:
    """Insert a message, make it the end of the branch shown, and return it."""
    moment, new = now(), new_id()
    connection.execute(
        insert(message).values(
            id=new,
            conversation_id=conversation_id,
            sequence=0,
            created_at=moment,
            updated_at=moment,
            **values,
        )
    )
    where = conversation.c.id == conversation_id
    connection.execute(update(conversation).where(where).values(leaf_id=new, updated_at=moment))
    row = connection.execute(select(message).where(message.c.id == new)).one()
    return message_of(row)


def add_answer(
    connection: Connection, conversation_id: str, question_id: str, model_id: str
) -> MessageRecord:
    """Insert the empty answer to a message."""
    return add_message(
        connection,
        conversation_id,
        parent_id=question_id,
        role="assistant",
        content="",
        status="streaming",
        model_id=model_id,
    )


def changed_columns(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that `changes` set. Raises `InvalidInput` for an unknown field."""
    unknown = set(changes) - CHANGEABLE
    if unknown:
        raise InvalidInput("That cannot be changed.", fields=dict.fromkeys(unknown, "unknown"))
    columns: dict[str, Any] = {}
    for name, value in changes.items():
        if name in {"pinned", "archived"}:
            columns[f"{name}_at"] = now() if value else None
        else:
            columns[name] = value
    if "title" in changes:
        columns["title_source"] = "person" if changes["title"] else "none"
    return columns


def archived_is(wanted: Archived) -> ColumnElement[bool]:
    """Return the condition that a conversation is listed."""
    if wanted == "include":
        return true()
    stamp = conversation.c.archived_at
    return stamp.is_not(None) if wanted == "only" else stamp.is_(None)


def before(columns: tuple[ColumnElement[Any], ...], keys: list[Any]) -> ColumnElement[bool]:
    """Return the condition that a row sorts after `keys` in descending order."""
    conditions = []
    for position, column in enumerate(columns):
        equal = [columns[earlier] == keys[earlier] for earlier in range(position)]
        conditions.append(and_(*equal, column < keys[position]))
    return or_(*conditions)
