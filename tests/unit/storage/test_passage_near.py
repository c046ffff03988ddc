"""What finds near passages fast finds the same, and stays true beside a version without it."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import pytest_asyncio
from sqlalchemy import Connection, select

from allerac.storage import passage_near, passage_vectors
from allerac.storage.database import Database
from allerac.storage.knowledge import KnowledgeStore, NewFile
from allerac.storage.knowledge_tables import knowledge_file
from allerac.storage.passage_vectors import fill_near, nearest
from allerac.storage.passages import Chunk, put_chunks
from tests.chat_room import people

MODEL, WIDTH = "unknown", 48
MANY = 400
Found = TypeVar("Found")


@pytest_asyncio.fixture
async def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A household where a hundred passages are many."""
    monkeypatch.setattr(passage_vectors, "FROM_BYTES", 100 * WIDTH * 4)
    monkeypatch.setattr(passage_near, "NEAR_IN_SAMPLE", 10)
    opened = Database(tmp_path / "allerac.sqlite")
    await opened.open()
    await opened.write(people)
    yield opened
    await opened.close()


def directions(seed: int, count: int) -> list[bytes]:
    vectors = np.random.default_rng(seed).normal(size=(count, WIDTH)).astype("<f4")
    return [vector.tobytes() for vector in vectors]


async def put(database: Database, vectors: Sequence[bytes]) -> str:
    """Keep a document of Ana's with these vectors; returns its id."""
    file = await KnowledgeStore(database).add(NewFile("ana", "x.txt", "", "private"))

    def work(connection: Connection) -> None:
        row = connection.execute(select(knowledge_file).where(knowledge_file.c.id == file.id)).one()
        chunks = [Chunk(at, f"Passage {at}.", "", None, None, 2) for at in range(len(vectors))]
        put_chunks(connection, row, MODEL, chunks, vectors)

    await database.write(work)
    return file.id


async def found(database: Database, vector: bytes, reader: str = "ana") -> list[int]:
    hits = await database.read(lambda c: nearest(c, MODEL, [reader], None, vector, 10))
    return [hit.number for hit in hits]


async def is_whole(database: Database, reader: str = "ana") -> bool:
    name = f"{MODEL}|{reader}"

    def work(connection: Connection) -> bool:
        total = connection.exec_driver_sql(
            f"SELECT passages FROM knowledge_centre_{WIDTH} WHERE collection = ?",  # noqa: S608 - a number
            (name,),
        ).scalar_one()
        return passage_near.is_whole(connection, name, total)

    return await database.read(work)


async def as_the_version_before(
    database: Database, monkeypatch: pytest.MonkeyPatch, work: Callable[[], Any]
) -> Any:
    """Do what a version does that knows nothing of these tables."""
    with monkeypatch.context() as before:
        before.setattr(passage_vectors, "keep", lambda *_: None)
        before.setattr(passage_vectors, "forget", lambda *_: None)
        return await work()


async def caught_up(database: Database) -> None:
    after: int | None = 0
    while after is not None:
        after = await database.write(lambda c, last=after: fill_near(c, last, 64))  # type: ignore[misc]


async def test_best_ten_of_many_are_those_of_comparing_all(database: Database) -> None:
    vectors = directions(1, MANY)
    await put(database, vectors)
    assert await is_whole(database)
    cosines = np.array([np.frombuffer(each, "<f4") for each in vectors])
    cosines /= np.linalg.norm(cosines, axis=1, keepdims=True)
    for question in directions(2, 5):
        best = np.argsort(-(cosines @ np.frombuffer(question, "<f4")))[:10] + 1
        assert await found(database, question) == best.tolist()


async def test_removed_document_leaves_no_vector(database: Database) -> None:
    file_id = await put(database, directions(1, 5))
    await KnowledgeStore(database).remove(file_id)
    queries = ("passage_vector", f"knowledge_near_{WIDTH}", f"knowledge_vector_{WIDTH}")
    for table in queries:
        count = await database.read(
            lambda c, name=table: c.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()  # type: ignore[misc]  # noqa: S608
        )
        assert count == 0, table


async def test_shared_document_moves_to_the_household_and_back(database: Database) -> None:
    vectors = directions(1, 5)
    file_id = await put(database, vectors)
    store = KnowledgeStore(database)
    await store.change(file_id, {"visibility": "household"})
    assert await is_whole(database, "household")
    assert await found(database, vectors[0]) == []
    await store.change(file_id, {"visibility": "private"})
    assert await is_whole(database)
    assert (await found(database, vectors[0]))[0] == 1


async def test_what_the_version_before_adds_is_found_at_once_and_filled_in_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(database, directions(1, MANY))
    added = directions(3, 3)
    await as_the_version_before(database, monkeypatch, lambda: put(database, added))
    assert not await is_whole(database)
    assert (await found(database, added[1]))[0] == MANY + 2
    await caught_up(database)
    assert await is_whole(database)
    assert (await found(database, added[1]))[0] == MANY + 2


async def test_what_the_version_before_removes_or_moves_is_not_found_any_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, vectors = KnowledgeStore(database), directions(1, MANY)
    await put(database, vectors)
    gone = await put(database, directions(3, 1))
    moved = await put(database, directions(4, 1))

    async def work() -> None:
        await store.remove(gone)
        await store.change(moved, {"visibility": "household"})

    await as_the_version_before(database, monkeypatch, work)
    assert await is_whole(database)
    assert not {MANY + 1, MANY + 2} & set(await found(database, directions(4, 1)[0]))
    assert await found(database, directions(4, 1)[0], "household") == [MANY + 2]
    assert not await is_whole(database, "household")
    await caught_up(database)
    assert await is_whole(database, "household")


def test_vectors_of_the_same_direction_have_the_same_bytes() -> None:
    once = np.random.default_rng(5).normal(size=WIDTH).astype("<f4")
    assert passage_near.in_bytes(once.tobytes()) == passage_near.in_bytes((once * 4).tobytes())
    assert passage_near.in_bytes(np.zeros(WIDTH, "<f4").tobytes()) == bytes(WIDTH)
