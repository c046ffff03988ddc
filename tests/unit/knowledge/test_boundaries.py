"""What one person keeps is found by no other, however they ask."""

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, select

from allerac.storage.database import Database
from allerac.storage.knowledge import KnowledgeStore, NewFile, Visibility
from allerac.storage.knowledge_tables import knowledge_file
from allerac.storage.passages import (
    Chunk,
    Scope,
    find_by_vector,
    find_by_words,
    load_chunks,
    put_chunks,
)
from tests.chat_room import people

QUERIES = 10_000
CHUNKS = 10
FILES = 3
WIDTH = 8
MODEL = "letters"
WORDS = [f"{first}{second}a" for first in "bdfgklmn" for second in "aeiou"]
FOLDERS = ("", "House", "School")


def passages_of(dice: random.Random, count: int) -> list[Chunk]:
    return [
        Chunk(at, " ".join(dice.choices(WORDS, k=20)), "", None, None, 20) for at in range(count)
    ]


def vectors_of(dice: random.Random, count: int) -> list[bytes]:
    rows = np.random.default_rng(dice.randrange(1 << 30)).normal(size=(count, WIDTH))
    return [row.astype("<f4").tobytes() for row in rows]


async def fill(
    database: Database, dice: random.Random, who: str, visibility: Visibility
) -> list[str]:
    """Give a person documents of these words in every folder; returns their ids."""
    ids = []
    for number in range(FILES):
        new = NewFile(who, f"{who} {number}.txt", FOLDERS[number], visibility)
        file = await KnowledgeStore(database).add(new)
        chunks, vectors = passages_of(dice, CHUNKS), vectors_of(dice, CHUNKS)

        def work(
            connection: Connection,
            file_id: str = file.id,
            chunks: Sequence[Chunk] = chunks,
            vectors: Sequence[bytes] = vectors,
        ) -> None:
            query = select(knowledge_file).where(knowledge_file.c.id == file_id)
            put_chunks(connection, connection.execute(query).one(), MODEL, chunks, vectors)

        await database.write(work)
        ids.append(file.id)
    return ids


@pytest.mark.slow
async def test_10000_random_queries_of_two_people_find_nothing_of_the_other(
    tmp_path: Path,
) -> None:
    dice = random.Random(8)  # noqa: S311 - seeded
    database = Database(tmp_path / "allerac.sqlite")
    await database.open()
    try:
        await database.write(people)
        private = {who: await fill(database, dice, who, "private") for who in ("ana", "ben")}
        shared = await fill(database, dice, "ana", "household")
        everything = [*private["ana"], *private["ben"], *shared]
        near = vectors_of(dice, 100)

        def scope_of(who: str) -> Scope:
            files = frozenset(dice.sample(everything, k=dice.randrange(1, len(everything))))
            folder = dice.choice(FOLDERS)
            return dice.choice(
                (Scope(who), Scope(who, files), Scope(who, None, folder), Scope(who, files, folder))
            )

        def ask(connection: Connection) -> tuple[int, list[str]]:
            found, foreign = 0, []
            total = len(everything) * CHUNKS
            for at in range(QUERIES // 2):
                who, other = ("ana", "ben") if at % 2 else ("ben", "ana")
                scope, vector = scope_of(who), dice.choice(near)
                words = [*dice.choices(WORDS, k=2), f"{dice.choice('bdfgklmn')}*"]
                hits = find_by_words(connection, scope, words, 10)
                hits += find_by_vector(connection, scope, MODEL, vector, 10)
                guessed = [dice.randrange(1, total + 1) for _ in range(5)]
                numbers = [*(hit.number for hit in hits), *guessed]
                stored = load_chunks(connection, who, numbers)
                assert {hit.number for hit in hits} <= set(stored)
                found += len(hits)
                foreign += [s.file_id for s in stored.values() if s.file_id in private[other]]
            return found, foreign

        found, foreign = await database.read(ask)
    finally:
        await database.close()
    assert foreign == []
    assert found > QUERIES
