"""Which pictures were sent with which message; their bytes are files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, delete, func, insert, select

from allerac.errors import Conflict, NotFound

from .conversation_rows import milliseconds
from .database import Database
from .picture_table import picture
from .tables import conversation, message

PictureKind = Literal["jpeg", "png", "gif", "webp"]
PER_MESSAGE = 8


@dataclass(frozen=True, slots=True)
class NewPicture:
    """A picture that has arrived for the message that will be sent as `client_id`."""

    id: str
    conversation_id: str
    client_id: str
    kind: PictureKind
    width: int
    height: int
    size_bytes: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PictureRecord:
    """A picture; `message_id` is None as long as its message was not sent."""

    id: str
    message_id: str | None
    kind: PictureKind
    width: int
    height: int
    size_bytes: int


class PictureStore:
    """The table `picture`; each row belongs to a conversation, and that to one person."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, person_id: str, new: NewPicture) -> PictureRecord:
        """Keep a picture. Raises `NotFound`, `Conflict` beyond `PER_MESSAGE`."""

        def work(connection: Connection) -> PictureRecord:
            _require_conversation(connection, person_id, new.conversation_id)
            beside = select(func.count()).where(
                picture.c.conversation_id == new.conversation_id,
                picture.c.client_id == new.client_id,
            )
            if (connection.scalar(beside) or 0) >= PER_MESSAGE:
                raise Conflict(f"A message may have up to {PER_MESSAGE} pictures.")
            connection.execute(
                insert(picture).values(
                    id=new.id,
                    conversation_id=new.conversation_id,
                    client_id=new.client_id,
                    kind=new.kind,
                    width=new.width,
                    height=new.height,
                    size_bytes=new.size_bytes,
                    created_at=milliseconds(new.created_at),
                )
            )
            return _record(connection.execute(_joined().where(picture.c.id == new.id)).one())

        return await self._database.write(work)

    async def of_conversation(
        self, person_id: str, conversation_id: str
    ) -> Sequence[PictureRecord]:
        """Return the pictures of a person's conversation, as they arrived. Raises `NotFound`."""

        def work(connection: Connection) -> list[PictureRecord]:
            _require_conversation(connection, person_id, conversation_id)
            query = _joined().where(
                picture.c.conversation_id == conversation_id, message.c.id.is_not(None)
            )
            return [_record(row) for row in connection.execute(query.order_by(picture.c.id))]

        return await self._database.read(work)

    async def get(self, person_id: str, picture_id: str) -> PictureRecord:
        """Return one of a person's pictures. Raises `NotFound`."""
        query = _joined().where(
            picture.c.id == picture_id,
            conversation.c.person_id == person_id,
            conversation.c.deleted_at.is_(None),
        )
        row = await self._database.read(lambda connection: connection.execute(query).first())
        if row is None:
            raise NotFound("There is no such picture.")
        return _record(row)

    async def forget(self, person_id: str) -> Sequence[str]:
        """Remove the pictures of somebody who leaves; returns their ids."""
        owned = select(conversation.c.id).where(conversation.c.person_id == person_id)
        gone = picture.c.conversation_id.in_(owned)

        def work(connection: Connection) -> list[str]:
            ids = list(connection.scalars(select(picture.c.id).where(gone)))
            connection.execute(delete(picture).where(gone))
            return ids

        return await self._database.write(work)

    async def settle(self, before: datetime) -> Sequence[str]:
        """Remove what arrived before that moment for messages never sent; returns what is left."""
        unsent = (
            _joined(picture.c.id)
            .where(message.c.id.is_(None), picture.c.created_at < milliseconds(before))
            .scalar_subquery()
        )

        def work(connection: Connection) -> list[str]:
            connection.execute(delete(picture).where(picture.c.id.in_(unsent)))
            return list(connection.scalars(select(picture.c.id)))

        return await self._database.write(work)


def _joined(*columns: Any) -> Any:
    sent = and_(
        message.c.conversation_id == picture.c.conversation_id,
        message.c.client_id == picture.c.client_id,
    )
    return (
        select(*(columns or (picture, message.c.id.label("message_id"))))
        .select_from(picture)
        .join(conversation, conversation.c.id == picture.c.conversation_id)
        .outerjoin(message, sent)
    )


def _require_conversation(connection: Connection, person_id: str, conversation_id: str) -> None:
    query = select(conversation.c.id).where(
        conversation.c.id == conversation_id,
        conversation.c.person_id == person_id,
        conversation.c.deleted_at.is_(None),
    )
    if connection.scalar(query) is None:
        raise NotFound("There is no such conversation.")


def _record(row: Row[Any]) -> PictureRecord:
    return PictureRecord(row.id, row.message_id, row.kind, row.width, row.height, row.size_bytes)
