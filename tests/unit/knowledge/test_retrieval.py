"""Which passages count as an answer, by how near they are and how many of the words they have."""

import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from sqlalchemy import Connection, select

from allerac.engine.protocol import ModelFile
from allerac.knowledge.embedding_model import EmbeddingModel, traits_of
from allerac.knowledge.retrieval import Retriever
from allerac.storage.database import Database
from allerac.storage.knowledge import KnowledgeStore, NewFile
from allerac.storage.knowledge_tables import knowledge_file
from allerac.storage.passages import Chunk, Scope, find_by_words, put_chunks
from tests.chat_room import people

MODEL = "unknown"
RELATED, NEARLY, APART = 0.6, 0.47, 0.2
"""Cosines; 0.5 is the floor of a model of which nothing is known."""
TEXTS = ("The boiler is serviced in March.", "Heating costs fell.", "Glass goes to the container.")


def vector(cosine: float) -> bytes:
    """Return what has this cosine with the question."""
    return np.array([cosine, math.sqrt(1 - cosine**2)], "<f4").tobytes()


class Pointer:
    """Every question points the same way."""

    async def load(self, model: ModelFile) -> None:
        """Every model is loaded."""

    async def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return the direction of all questions."""
        return [vector(1.0) for _ in texts]

    async def measure(self, texts: Sequence[str]) -> list[int]:
        """Return the number of words."""
        return [len(each.split()) for each in texts]


class OneModel:
    """A model of which nothing is known."""

    def current(self) -> EmbeddingModel:
        """Return it."""
        file = ModelFile(model_id=MODEL, path=Path("x"), context_length=512, threads=1)
        return EmbeddingModel(file, traits_of(MODEL))


@dataclass(frozen=True, slots=True)
class Shelf:
    """A library with one document, whose passages are as near to any question as is said."""

    database: Database
    retriever: Retriever

    async def put(self, *cosines: float, texts: Sequence[str] = TEXTS) -> str:
        """Fill it; returns the document's id."""
        file = await KnowledgeStore(self.database).add(NewFile("ana", "x.txt", "", "private"))

        def work(connection: Connection) -> None:
            query = select(knowledge_file).where(knowledge_file.c.id == file.id)
            chunks = [Chunk(at, texts[at], "", None, None, 5) for at in range(len(cosines))]
            row = connection.execute(query).one()
            put_chunks(connection, row, MODEL, chunks, [vector(each) for each in cosines])

        await self.database.write(work)
        return file.id

    async def judged(self, budget_tokens: int = 1000) -> list[str]:
        """Return what became of each passage, the nearest first."""
        scope = Scope("ana")
        found = await self.retriever.find("Quién", scope, budget_tokens=budget_tokens)
        return [each.verdict for each in found.trace.considered]

    async def find(self, question: str) -> list[str]:
        """Return the passages that a model would read."""
        found = await self.retriever.find(question, Scope("ana"), budget_tokens=1000)
        return [passage.text for passage in found.passages]


@pytest_asyncio.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    database = Database(tmp_path / "allerac.sqlite")
    await database.open()
    await database.write(people)
    yield Shelf(database, Retriever(database=database, embedder=Pointer(), models=OneModel()))
    await database.close()


async def test_nearly_related_passage_counts_beside_a_related_one(shelf: Shelf) -> None:
    await shelf.put(RELATED, NEARLY, APART)
    assert await shelf.find("Quién repara la caldera") == [TEXTS[0], TEXTS[1]]


async def test_question_is_refused_where_passages_are_only_nearly_related(shelf: Shelf) -> None:
    await shelf.put(NEARLY, NEARLY, APART)
    assert await shelf.find("Quién repara la caldera") == []


@pytest.mark.parametrize(
    ("question", "is_found"),
    [("When is the boiler serviced?", True), ("When is the lighthouse serviced?", False)],
)
async def test_passage_counts_by_its_words_when_it_has_most_of_them(
    shelf: Shelf, question: str, is_found: bool
) -> None:
    await shelf.put(APART)
    assert bool(await shelf.find(question)) is is_found


async def test_document_is_found_by_the_words_of_its_new_name_alone(shelf: Shelf) -> None:
    file_id = await shelf.put(APART)

    async def hits(word: str) -> int:
        def work(connection: Connection) -> int:
            return len(find_by_words(connection, Scope("ana"), [word], 5))

        return await shelf.database.read(work)

    for name, word in (("plumber.txt", "plumber"), ("chimney.txt", "chimney")):
        await KnowledgeStore(shelf.database).change(file_id, {"name": name})
        assert await hits(word) == 1
    assert await hits("plumber") == 0
    await KnowledgeStore(shelf.database).change(file_id, {"folder": "House"})
    assert await hits("chimney") == 1


FALLING = tuple(0.9 - at / 100 for at in range(8))
DIFFERENT = tuple(f"Room {at} has {' '.join(f'w{at}x{n}' for n in range(40))}." for at in range(8))
"""Eight passages of some 250 characters that share no words."""


async def test_five_are_read_and_the_others_are_told_to_come_after(shelf: Shelf) -> None:
    await shelf.put(*FALLING, texts=DIFFERENT)
    assert await shelf.judged() == [*["used"] * 5, *["rank"] * 3]


async def test_same_words_are_read_once(shelf: Shelf) -> None:
    await shelf.put(*FALLING[:3], texts=(DIFFERENT[0], DIFFERENT[0], DIFFERENT[1]))
    assert await shelf.judged() == ["used", "duplicate", "used"]


async def test_passages_beyond_the_budget_are_told_to_have_had_no_room(shelf: Shelf) -> None:
    await shelf.put(*FALLING[:3], texts=DIFFERENT)
    assert await shelf.judged(budget_tokens=100) == ["used", "budget", "budget"]
    assert await shelf.judged(budget_tokens=1000) == ["used", "used", "used"]


async def test_what_is_not_related_is_told_to_be_so(shelf: Shelf) -> None:
    await shelf.put(RELATED, APART, texts=DIFFERENT)
    assert await shelf.judged() == ["used", "unrelated"]


class Backwards:
    """A reranker that likes last what was first."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def rerank(self, question: str, texts: Sequence[str]) -> list[int]:
        """Return the positions of `texts` from the last to the first."""
        self.texts += texts
        return [*reversed(range(len(texts)))]


async def test_related_passages_are_read_in_the_reranker_s_order(shelf: Shelf) -> None:
    await shelf.put(*FALLING[:3], APART, texts=DIFFERENT)
    reranker = Backwards()
    retriever = Retriever(
        database=shelf.database, embedder=Pointer(), models=OneModel(), reranker=reranker
    )
    found = await retriever.find("Quién", Scope("ana"), budget_tokens=1000)
    assert [passage.text for passage in found.passages] == [*reversed(DIFFERENT[:3])]
    assert found.trace.considered[-1].verdict == "unrelated"
    assert sorted(reranker.texts) == sorted(DIFFERENT[:3])
