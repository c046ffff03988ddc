"""Which messages are still to be read, and what was read of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from .database import Database
from .message_vectors import message_vector
from .tables import conversation, message


@dataclass(frozen=True, slots=True)
class Unread:
    """A message whose meaning is not known yet."""

    id: str
    content: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Some sentences of a message, where they stand in it, and their vector."""

    start: int
    length: int
    vector: bytes


class MessageVectors:
    """The table `message_vector`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unread(self, model_id: str, limit: int) -> list[Unread]:
        """Return messages that this model has not read, the newest first."""
        known = (
            select(message_vector.c.id)
            .where(message_vector.c.message_id == message.c.id)
            .where(message_vector.c.model_id == model_id)
        )
        query = (
            select(message.c.id, message.c.content)
            .join(conversation, conversation.c.id == message.c.conversation_id)
            .where(conversation.c.deleted_at.is_(None), message.c.status != "streaming")
            .where(~known.exists(), message.c.content != "")
            .order_by(message.c.id.desc())
            .limit(limit)
        )
        return await self._database.read(
            lambda connection: [Unread(*row) for row in connection.execute(query)]
        )

    async def put(self, read: Unread, model_id: str, pieces: Sequence[Piece]) -> None:
        """Keep what a message means, unless it was deleted or changed since it was read."""

        def work(connection: Connection) -> None:
            query = (
                select(message.c.conversation_id, conversation.c.person_id)
                .join(conversation, conversation.c.id == message.c.conversation_id)
                .where(message.c.id == read.id, message.c.content == read.content)
                .where(conversation.c.deleted_at.is_(None))
            )
            row = connection.execute(query).first()
            if row is None:
                return
            where = message_vector.c.message_id == read.id
            connection.execute(delete(message_vector).where(where))
            for piece in pieces:
                connection.execute(
                    insert(message_vector).values(
                        message_id=read.id,
                        conversation_id=row.conversation_id,
                        person_id=row.person_id,
                        model_id=model_id,
                        start=piece.start,
                        length=piece.length,
                        vector=piece.vector,
                    )
                )

        await self._database.write(work)
