"""A library of documents on a folder, with an embedding model that counts letters."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import text

from allerac.engine.protocol import ModelFile
from allerac.knowledge.blobs import BlobStore
from allerac.knowledge.embedding_model import EmbeddingModel, traits_of
from allerac.knowledge.ingest import Desk, Ingest, Unhurried
from allerac.knowledge.retrieval import Retriever
from allerac.knowledge.service import KnowledgeService, Parts
from allerac.knowledge.word_reading import WordReader
from allerac.storage.database import Database
from allerac.storage.ids import new_id
from allerac.storage.knowledge import FileRecord, KnowledgeStore
from allerac.storage.knowledge_jobs import JobStore
from allerac.storage.passage_words import WordStore
from allerac.storage.traces import TraceStore
from tests import documents
from tests.chat_room import people

LEASE = timedelta(seconds=0.6)
SECONDS = 60
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
TEXT = documents.markdown([(f"Part {n}", f"Sentence {n} of the house. " * 40) for n in range(60)])


@dataclass(slots=True)
class LetterEmbedder:
    """Counts letters; stops for good after `stops_after` texts, as a killed process does."""

    stops_after: int | None = None
    embedded: list[str] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def load(self, model: ModelFile) -> None:
        """Every model is loaded."""

    async def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return how often each letter occurs."""
        if self.stops_after is not None and len(self.embedded) >= self.stops_after:
            self.stopped.set()
            await asyncio.Event().wait()
        self.embedded += texts
        vectors = [[1.0 + each.lower().count(letter) for letter in LETTERS] for each in texts]
        return [np.array(vector, "<f4").tobytes() for vector in vectors]

    async def measure(self, texts: Sequence[str]) -> list[int]:
        """Return the number of words."""
        return [len(each.split()) for each in texts]


@dataclass(slots=True)
class OneModel:
    """The letter model, or a better one."""

    model_id: str = "letters"

    def current(self) -> EmbeddingModel | None:
        """Return it."""
        path = Path("letters")
        file = ModelFile(model_id=self.model_id, path=path, context_length=512, threads=1)
        return EmbeddingModel(file, traits_of(self.model_id))


@dataclass(slots=True)
class NoModelYet(OneModel):
    """No model until one is given an id."""

    model_id: str = ""

    def current(self) -> EmbeddingModel | None:
        """Return it, None as long as there is none."""
        return OneModel.current(self) if self.model_id else None


@dataclass(slots=True)
class House:
    """A library and what it stands on."""

    database: Database
    service: KnowledgeService
    files: KnowledgeStore
    embedder: LetterEmbedder
    ingest: Ingest
    folder: Path

    async def settled(self, file_id: str) -> FileRecord:
        """Return a document once it is ready or has failed."""
        async with asyncio.timeout(SECONDS):
            while True:
                file = await self.service.get("ana", file_id)
                if file.state in ("ready", "failed"):
                    return file
                await asyncio.sleep(0.02)

    async def rows(self) -> tuple[int, int]:
        """Return how many passages are kept as text and in the index of words."""
        queries = ("SELECT count(*) FROM knowledge_chunk", "SELECT count(*) FROM knowledge_text")
        counts = [
            await self.database.read(lambda c, q=query: c.execute(text(q)).scalar_one())  # type: ignore[misc]
            for query in queries
        ]
        return counts[0], counts[1]


@asynccontextmanager
async def open_house(
    folder: Path,
    embedder: LetterEmbedder,
    models: OneModel | None = None,
    blobs: BlobStore | None = None,
) -> AsyncIterator[House]:
    """Open the library whose data is in `folder`."""
    is_new = not (folder / "allerac.sqlite").exists()
    database = Database(folder / "allerac.sqlite")
    await database.open()
    if is_new:
        await database.write(people)
    files, models = KnowledgeStore(database), models or OneModel()
    jobs = JobStore(database, owner=new_id(), lease=LEASE)
    blobs = blobs or BlobStore(folder / "blobs")
    reading = folder / "reading"
    words = WordStore(database)
    reader = WordReader(words, embedder, models)
    desk = Desk(files, jobs, blobs, embedder, models, Unhurried(), reading, reader)
    retriever = Retriever(database=database, embedder=embedder, models=models, words=words)
    ingest = Ingest(desk, lease=LEASE)
    service = KnowledgeService(
        Parts(files, jobs, blobs, ingest, retriever, TraceStore(database), reading)
    )
    await service.start()
    try:
        yield House(database, service, files, embedder, ingest, folder)
    finally:
        await service.stop()
        await database.close()


async def stream(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


def contents(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("blobs/*/*")]


def drafts(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("reading/*")]


def everything(folder: Path) -> list[str]:
    return [*contents(folder), *drafts(folder)]
