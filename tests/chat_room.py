"""A chat over a real database and an engine that plays scripts."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from allerac.chat import ChatService
from allerac.chat.records import Sent
from allerac.events import Event, EventLogs
from allerac.storage.conversations import ConversationStore, MessageRecord
from allerac.storage.database import Database
from allerac.storage.tables import household, person
from tests.fakes import FakeEngine, FakeModels


@dataclass(slots=True)
class Room:
    """A chat and what it stands on; `ana` and `ben` are people of one household."""

    database: Database
    store: ConversationStore
    engine: FakeEngine
    chat: ChatService
    ana: str = "ana"
    ben: str = "ben"

    def restarted(self) -> ChatService:
        """Return a chat over the same rows that remembers nothing."""
        return ChatService(
            store=self.store, engine=self.engine, models=FakeModels(), logs=EventLogs()
        )

    async def conversation(self) -> str:
        """Start a conversation of Ana's."""
        return (await self.chat.create_conversation(self.ana)).id

    async def say(self, conversation_id: str, content: str, **rest: Any) -> Sent:
        """Send a message of Ana's; the text doubles as its `client_id`."""
        options = {"parent_id": None, "client_id": content[:60], **rest}
        return await self.chat.send(self.ana, conversation_id, content=content, **options)

    async def events(self, answer_id: str, after: int = 0) -> list[Event]:
        """Follow an answer to its end."""
        return [event async for event in await self.chat.open_events(self.ana, answer_id, after)]

    async def ended(self, answer_id: str) -> MessageRecord:
        """Return the row of an answer once it has ended."""
        await self.events(answer_id)
        return await self.store.message(self.ana, answer_id)


def people(connection: Connection) -> None:
    """Add a household with Ana and Ben."""
    connection.execute(insert(household).values(id="home", name="Home", created_at=1))
    for name, role in (("ana", "owner"), ("ben", "member")):
        connection.execute(
            insert(person).values(
                id=name,
                household_id="home",
                name=name,
                name_key=name,
                role=role,
                language="en",
                password_hash="x",  # noqa: S106 - no one signs in here
                recovery_hash="x",
                created_at=1,
            )
        )


@contextlib.asynccontextmanager
async def open_room(folder: Path) -> AsyncIterator[Room]:
    """Open a chat whose database is in `folder`, with Ana and Ben when it is new."""
    database = Database(folder / "allerac.sqlite")
    is_new = not (folder / "allerac.sqlite").exists()
    await database.open()
    if is_new:
        await database.write(people)
    store, engine = ConversationStore(database), FakeEngine()
    chat = ChatService(
        store=store,
        engine=engine,
        models=FakeModels(),
        logs=EventLogs(),
        save_seconds=0.01,
        retry_seconds=0.01,
    )
    try:
        yield Room(database, store, engine, chat)
    finally:
        await chat.stop()
        await database.close()
