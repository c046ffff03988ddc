"""Conversations and their trees of messages.

Every query carries the person: what is not theirs does not exist.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, and_, delete, func, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from allerac.errors import Conflict, NotFound

from .conversation_rows import (
    AnswerStatus,
    AnswerUpdate,
    ConversationItem,
    ConversationRecord,
    MessageRecord,
    add_answer,
    add_message,
    archived_is,
    before,
    changed_columns,
    conversation_of,
    item_of,
    message_of,
    milliseconds,
    now,
    own_conversation,
    own_message,
    require_in,
    require_question,
    sent_before,
)
from .database import Database
from .ids import new_id
from .memories import keep_memories_of
from .message_vectors import Near
from .pages import Page, decode_cursor, encode_cursor
from .search import Archived, find_conversations, index_message, index_title, unindex_conversation
from .summaries import SummaryRecord, put_summary, summaries_of
from .tables import conversation, message, person

__all__ = [
    "AnswerStatus",
    "AnswerUpdate",
    "Archived",
    "ConversationItem",
    "ConversationRecord",
    "ConversationStore",
    "MessageRecord",
    "SummaryRecord",
]


class ConversationStore:
    """The tables `conversation` and `message`, and the full-text index over both."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, person_id: str, *, model_id: str | None) -> str:
        """Add an empty conversation and return its id. Raises `NotFound` for no such person."""

        def work(connection: Connection) -> str:
            query = select(person.c.household_id).where(person.c.id == person_id)
            household_id = connection.scalar(query)
            if household_id is None:
                raise NotFound("There is no such person.")
            moment, new = now(), new_id()
            connection.execute(
                insert(conversation).values(
                    id=new,
                    household_id=household_id,
                    person_id=person_id,
                    title=None,
                    title_source="none",
                    model_id=model_id,
                    created_at=moment,
                    updated_at=moment,
                )
            )
            return new

        return await self._database.write(work)

    async def get(self, person_id: str, conversation_id: str) -> ConversationRecord:
        """Return one conversation. Raises `NotFound`, also when it is deleted."""
        return await self._database.read(
            lambda connection: conversation_of(
                own_conversation(connection, person_id, conversation_id)
            )
        )

    async def page(
        self, person_id: str, *, archived: Archived, cursor: str | None, limit: int
    ) -> Page[ConversationItem]:
        """List pinned ones first, then the latest."""

        def work(connection: Connection) -> Page[ConversationItem]:
            pinned = func.coalesce(conversation.c.pinned_at, 0)
            order = (pinned, conversation.c.updated_at, conversation.c.id)
            query = select(conversation).where(
                conversation.c.person_id == person_id,
                conversation.c.deleted_at.is_(None),
                archived_is(archived),
            )
            if cursor is not None:
                query = query.where(before(order, decode_cursor(cursor, length=3)))
            query = query.order_by(*(column.desc() for column in order)).limit(limit + 1)
            rows = connection.execute(query).all()
            shown = rows[:limit]
            following = None
            if len(rows) > limit:
                last = shown[-1]
                following = encode_cursor((last.pinned_at or 0, last.updated_at, last.id))
            return Page([item_of(row) for row in shown], following)

        return await self._database.read(work)

    async def search(
        self,
        person_id: str,
        query: str,
        *,
        near: Near | None = None,
        **page_of: Any,
    ) -> Page[ConversationItem]:
        """See `allerac.storage.search.find_conversations`."""

        def work(connection: Connection) -> Page[ConversationItem]:
            page = find_conversations(connection, person_id, query, near=near, **page_of)
            items = [
                item_of(own_conversation(connection, person_id, one.conversation_id), one.snippet)
                for one in page.items
            ]
            return Page(items, page.next_cursor)

        return await self._database.read(work)

    async def update(
        self, person_id: str, conversation_id: str, changes: Mapping[str, Any]
    ) -> None:
        """Change the given fields.

        Raises `InvalidInput` for others and when `context_from_id` is an answer's, `NotFound`.
        """
        values = changed_columns(changes)

        def work(connection: Connection) -> None:
            own_conversation(connection, person_id, conversation_id)
            if changes.get("leaf_id") is not None:
                require_in(connection, conversation_id, changes["leaf_id"])
            if changes.get("context_from_id") is not None:
                require_question(connection, conversation_id, changes["context_from_id"])
            if values:
                where = conversation.c.id == conversation_id
                connection.execute(update(conversation).where(where).values(**values))
            if "title" in changes:
                index_title(connection, conversation_id, changes["title"] or "")

        await self._database.write(work)

    async def set_deleted(
        self, person_id: str, conversation_id: str, *, deleted: bool
    ) -> list[str]:
        """Delete or restore; returns the ids of answers that are being made."""

        def work(connection: Connection) -> list[str]:
            own_conversation(connection, person_id, conversation_id, deleted=True)
            where = conversation.c.id == conversation_id
            stamp = now() if deleted else None
            connection.execute(update(conversation).where(where).values(deleted_at=stamp))
            query = select(message.c.id).where(
                message.c.conversation_id == conversation_id, message.c.status == "streaming"
            )
            return [*connection.scalars(query)]

        return await self._database.write(work)

    async def purge_deleted(self, moment: datetime) -> int:
        """Remove for good what was deleted before `moment`; returns how many conversations."""
        limit = milliseconds(moment)

        def work(connection: Connection) -> int:
            query = select(conversation.c.id).where(conversation.c.deleted_at < limit)
            ids = [*connection.scalars(query)]
            for conversation_id in ids:
                unindex_conversation(connection, conversation_id)
                keep_memories_of(connection, conversation_id)
                connection.execute(
                    delete(message).where(message.c.conversation_id == conversation_id)
                )
                connection.execute(delete(conversation).where(conversation.c.id == conversation_id))
            return len(ids)

        return await self._database.write(work)

    async def messages(
        self, person_id: str, conversation_id: str, *, cursor: str | None = None, limit: int = 500
    ) -> Page[MessageRecord]:
        """Return all branches, oldest first."""

        def work(connection: Connection) -> Page[MessageRecord]:
            own_conversation(connection, person_id, conversation_id)
            query = select(message).where(message.c.conversation_id == conversation_id)
            if cursor is not None:
                (after,) = decode_cursor(cursor, length=1)
                query = query.where(message.c.id > after)
            rows = connection.execute(query.order_by(message.c.id).limit(limit + 1)).all()
            shown = rows[:limit]
            following = encode_cursor((shown[-1].id,)) if len(rows) > limit else None
            found = summaries_of(connection, conversation_id)
            return Page([message_of(row, found.get(row.id)) for row in shown], following)

        return await self._database.read(work)

    async def message(self, person_id: str, message_id: str) -> MessageRecord:
        """Return one message. Raises `NotFound`."""
        return await self._database.read(
            lambda connection: message_of(own_message(connection, person_id, message_id))
        )

    async def path(self, person_id: str, leaf_id: str | None) -> list[MessageRecord]:
        """Return the messages from the first one down to `leaf_id`."""

        def work(connection: Connection) -> list[MessageRecord]:
            if leaf_id is None:
                return []
            leaf = own_message(connection, person_id, leaf_id)
            columns = (message.c.id, message.c.parent_id)
            steps = select(*columns, literal(0).label("height")).where(message.c.id == leaf.id)
            above = steps.cte("path", recursive=True)
            above = above.union_all(
                select(*columns, above.c.height + 1).join(above, message.c.id == above.c.parent_id)
            )
            query = select(message).join(above, message.c.id == above.c.id)
            query = query.order_by(above.c.height.desc())  # ids go back when the clock does
            found = summaries_of(connection, leaf.conversation_id)
            return [message_of(row, found.get(row.id)) for row in connection.execute(query)]

        return await self._database.read(work)

    async def sent(
        self, person_id: str, conversation_id: str, client_id: str
    ) -> tuple[MessageRecord, MessageRecord] | None:
        """Return what was stored for `client_id`, or None."""

        def work(connection: Connection) -> tuple[MessageRecord, MessageRecord] | None:
            own_conversation(connection, person_id, conversation_id)
            return sent_before(connection, conversation_id, client_id)

        return await self._database.read(work)

    async def send(
        self,
        person_id: str,
        conversation_id: str,
        *,
        content: str,
        parent_id: str | None,
        client_id: str,
        model_id: str,
    ) -> tuple[MessageRecord, MessageRecord, bool]:
        """Store a message with the empty answer below it; False says that it was there before."""

        def work(connection: Connection) -> tuple[MessageRecord, MessageRecord, bool]:
            own_conversation(connection, person_id, conversation_id)
            already = sent_before(connection, conversation_id, client_id)
            if already is not None:
                return (*already, False)
            if parent_id is not None:
                require_in(connection, conversation_id, parent_id)
            asked = add_message(
                connection,
                conversation_id,
                parent_id=parent_id,
                role="user",
                content=content,
                status="complete",
                client_id=client_id,
            )
            index_message(connection, asked.id, conversation_id, content)
            answer = add_answer(connection, conversation_id, asked.id, model_id)
            return asked, answer, True

        try:
            return await self._database.write(work)
        except IntegrityError as error:
            raise Conflict("This message was just sent from another place.") from error

    async def add_answer(self, person_id: str, question_id: str, *, model_id: str) -> MessageRecord:
        """Store another empty answer below a person's message."""

        def work(connection: Connection) -> MessageRecord:
            question = own_message(connection, person_id, question_id)
            return add_answer(connection, question.conversation_id, question_id, model_id)

        return await self._database.write(work)

    async def save_answer(self, answer_id: str, change: AnswerUpdate) -> None:
        """Store how far an answer has come; its text is searchable once it has ended."""

        def work(connection: Connection) -> None:
            where = message.c.id == answer_id
            values: dict[str, Any] = {
                "content": change.content,
                "sequence": change.sequence,
                "status": change.status,
                "error": _plain(change.error),
                "usage": _plain(change.usage),
                "updated_at": now(),
            }
            connection.execute(update(message).where(where).values(**values))
            row = connection.execute(select(message).where(where)).first()
            if row is not None and change.status != "streaming":
                index_message(connection, answer_id, row.conversation_id, change.content)

        await self._database.write(work)

    async def rate(
        self, person_id: str, message_id: str, rating: Literal["up", "down"] | None
    ) -> MessageRecord:
        """Keep a rating. Raises `Conflict` for a person's message."""

        def work(connection: Connection) -> MessageRecord:
            row = own_message(connection, person_id, message_id)
            if row.role != "assistant":
                raise Conflict("Only answers are rated.")
            where = message.c.id == message_id
            connection.execute(update(message).where(where).values(rating=rating))
            return message_of(own_message(connection, person_id, message_id))

        return await self._database.write(work)

    async def interrupt_streaming(self, problem: Mapping[str, Any]) -> int:
        """Mark answers that no one makes any more, make them searchable, return how many."""

        def work(connection: Connection) -> int:
            streaming = message.c.status == "streaming"
            for row in connection.execute(select(message).where(streaming)).all():
                index_message(connection, row.id, row.conversation_id, row.content)
            query = (
                update(message)
                .where(streaming)
                .values(
                    status="interrupted",
                    error=dict(problem),
                    sequence=message.c.sequence + 1,
                    updated_at=now(),
                )
            )
            return connection.execute(query).rowcount

        return await self._database.write(work)

    async def add_summary(self, person_id: str, summary: SummaryRecord) -> None:
        """Keep a summary in place of one that ends with the same message. Raises `NotFound`."""

        def work(connection: Connection) -> None:
            last = own_message(connection, person_id, summary.until_id)
            require_in(connection, last.conversation_id, summary.from_id)
            put_summary(connection, last.conversation_id, summary)

        await self._database.write(work)

    async def has_title(self, conversation_id: str) -> bool:
        """Tell whether there is a title, or no such conversation to give one."""

        def work(connection: Connection) -> bool:
            query = select(conversation.c.title_source).where(conversation.c.id == conversation_id)
            return connection.scalar(query) != "none"

        return await self._database.read(work)

    async def set_model_title(self, conversation_id: str, title: str) -> None:
        """Set a title unless a person has given one meanwhile."""

        def work(connection: Connection) -> None:
            where = and_(
                conversation.c.id == conversation_id, conversation.c.title_source == "none"
            )
            values = {"title": title, "title_source": "model"}
            if connection.execute(update(conversation).where(where).values(**values)).rowcount:
                index_title(connection, conversation_id, title)

        await self._database.write(work)


def _plain(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if value is None else dict(value)
