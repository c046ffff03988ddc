"""A chat that asks the real library; a document is near to whatever is asked, or to nothing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest_asyncio
from sqlalchemy import Connection, select

from allerac.app.knowledge import build_librarian
from allerac.app.librarian import Librarian
from allerac.assistants.service import AssistantService
from allerac.chat import ChatService
from allerac.chat.library import Brief, Question
from allerac.engine.protocol import GenerationRequest, ModelFile
from allerac.events import EventLogs
from allerac.knowledge.embedding_model import EmbeddingModel, traits_of
from allerac.knowledge.retrieval import Retriever
from allerac.storage.assistants import AssistantStore, ConversationScope
from allerac.storage.knowledge import KnowledgeStore, NewFile, Visibility
from allerac.storage.knowledge_tables import knowledge_file
from allerac.storage.memories import MemoryStore
from allerac.storage.passages import Chunk, put_chunks
from allerac.storage.traces import TraceStore
from tests.chat_room import Room, open_room
from tests.fakes import FakeModels

MODEL = "unknown"
NEAR, FAR = (np.array(each, "<f4").tobytes() for each in ([1, 0], [0, 1]))


class Pointer:
    """Everything means the same."""

    async def load(self, model: ModelFile) -> None:
        """Every model is loaded."""

    async def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return the one meaning."""
        return [NEAR for _ in texts]

    async def measure(self, texts: Sequence[str]) -> list[int]:
        """Return the number of words."""
        return [len(each.split()) for each in texts]


class OneReader:
    """A model of which nothing is known reads documents."""

    def current(self) -> EmbeddingModel:
        """Return it."""
        file = ModelFile(model_id=MODEL, path=Path("x"), context_length=512, threads=1)
        return EmbeddingModel(file, traits_of(MODEL))


class Speed:
    """Tokens that the box reads in a second; None until it was measured."""

    def __init__(self) -> None:
        self.per_second: float | None = None

    def __call__(self) -> float | None:
        return self.per_second


@dataclass(frozen=True, slots=True)
class Home:
    """Ana's and Ben's chat, assistants and documents."""

    room: Room
    service: AssistantService
    librarian: Librarian
    chat: ChatService
    files: KnowledgeStore
    models: FakeModels
    speed: Speed

    async def put(
        self,
        person: str,
        text: str,
        *,
        visibility: Visibility = "private",
        folder: str = "",
        vector: bytes = NEAR,
    ) -> str:
        """Add a document that says `text`; returns its id."""
        file = await self.files.add(NewFile(person, "x.txt", folder, visibility))

        def work(connection: Connection) -> None:
            query = select(knowledge_file).where(knowledge_file.c.id == file.id)
            chunk = Chunk(0, text, "", None, None, len(text.split()))
            put_chunks(connection, connection.execute(query).one(), MODEL, [chunk], [vector])

        await self.room.database.write(work)
        return file.id

    async def assistant(self, person: str, **values: Any) -> str:
        """Make an assistant; returns its id."""
        return (await self.service.create(person, {"name": "Smith", **values})).id

    async def conversation(self, person: str, assistant_id: str | None = None, **scope: Any) -> str:
        """Begin a conversation with an assistant; returns its id."""
        conversation_id = (await self.chat.create_conversation(person)).id
        where = ConversationScope(assistant_id, **scope)
        await self.service.set_scope(person, conversation_id, where)
        return conversation_id

    async def answer(self, person: str, conversation_id: str, text: str) -> str:
        """Store a question and its empty answer; returns the answer's id."""
        _, answer, _ = await self.room.store.send(
            person,
            conversation_id,
            content=text,
            parent_id=None,
            client_id=text,
            model_id="small",
        )
        return answer.id

    async def brief(
        self, person: str, conversation_id: str, *, context_tokens: int | None = None
    ) -> tuple[Brief, Mapping[str, Any]]:
        """Return what an answer would be made with, and what is kept of how that was found."""
        answer_id = await self.answer(person, conversation_id, "Tell me")
        question = Question(person, conversation_id, answer_id, "Tell me", "", context_tokens)
        brief = await self.librarian.brief(question)
        kept = await TraceStore(self.room.database).load(person, [answer_id])
        return brief, kept.get(answer_id, {})

    async def asked(
        self, person: str, conversation_id: str, text: str = "Tell me"
    ) -> GenerationRequest:
        """Send `text` and return what the engine was asked once it has answered."""
        sent = await self.chat.send(
            person, conversation_id, content=text, parent_id=None, client_id=text
        )
        async for _ in await self.chat.open_events(person, sent.answer.id, 0):
            pass
        return next(r for r in self.room.engine.requests if r.request_id == sent.answer.id)


@pytest_asyncio.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    async with open_room(tmp_path) as room:
        speed, models = Speed(), FakeModels()
        retriever = Retriever(database=room.database, embedder=Pointer(), models=OneReader())
        librarian = build_librarian(room.database, retriever, speed)
        service = AssistantService(
            assistants=AssistantStore(room.database),
            memories=MemoryStore(room.database),
            models=models,
        )
        chat = ChatService(
            store=room.store,
            engine=room.engine,
            models=models,
            logs=EventLogs(),
            library=librarian,
            save_seconds=0.01,
        )
        files = KnowledgeStore(room.database)
        yield Home(room, service, librarian, chat, files, models, speed)
        await chat.stop()
