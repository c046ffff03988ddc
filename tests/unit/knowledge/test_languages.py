"""A question finds what is written in another language, though models put languages apart."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from sqlalchemy import Connection, insert

from allerac.knowledge.languages import language_of
from allerac.storage.database import Database
from allerac.storage.knowledge import KnowledgeStore, NewFile
from allerac.storage.knowledge_tables import knowledge_chunk
from allerac.storage.passage_vectors import (
    Hit,
    Place,
    drop_vectors,
    move_vectors,
    nearest,
    put_vector,
)
from tests.chat_room import people

MODEL = "model"
ENGLISH, GERMAN = (1.0, 0.0), (0.0, 1.0)
BOILER, PIANO = (0.6, 0.0), (0.0, 0.6)
FILE = 1
MANY = 60


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("It is repaired by Porid, and the key is in the hall.", "en"),
        ("Die Garantie endet 2032, und der Schlüssel ist bei uns.", "de"),
        ("La llave la tiene Mumis y el precio fue de 300 euros.", "es"),
        ("La clé est chez nous, mais le prix n'est pas dans la lettre.", "fr"),
        ("La chiave è con noi, ma il prezzo non è nella lettera.", "it"),
        ("A chave não está com ele, mas o preço foi pago pela loja.", "pt"),
        ("4711 boiler", ""),
        ("", ""),
    ],
)
def test_language_is_told_by_little_words(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A household with a document of so many passages, of which no vector is known yet."""
    database = Database(tmp_path / "allerac.sqlite")
    await database.open()
    await database.write(people)
    file = await KnowledgeStore(database).add(NewFile("ana", "music.txt", "", "private"))
    passages = [
        {
            "id": number,
            "file_id": file.id,
            "position": number,
            "heading": "",
            "content": "",
            "tokens": 1,
        }
        for number in range(1, MANY + 1)
    ]
    await database.write(lambda connection: connection.execute(insert(knowledge_chunk), passages))
    yield database
    await database.close()


def vector(*parts: Sequence[float]) -> bytes:
    return np.array([x for part in parts for x in part], "<f4").tobytes()


def fill(connection: Connection) -> None:
    """Put many passages about pianos in both languages, and the last, in German, about a boiler."""
    for number in range(1, MANY):
        language, shared = ("en", ENGLISH) if number % 2 else ("de", GERMAN)
        put_vector(connection, Place(MODEL, "ana", language), FILE, number, vector(shared, PIANO))
    put_vector(connection, Place(MODEL, "ana", "de"), FILE, MANY, vector(GERMAN, BOILER))


def ask(connection: Connection, reader: str = "ana") -> list[Hit]:
    """Ask in English about the boiler."""
    return nearest(connection, MODEL, [reader], None, vector(ENGLISH, BOILER), 5)


def centres(connection: Connection) -> list[tuple[str, int]]:
    rows = connection.exec_driver_sql("SELECT collection, passages FROM knowledge_centre_4")
    return [(row.collection, row.passages) for row in rows]


async def test_passage_in_another_language_comes_before_others_in_the_question_s_own(
    database: Database,
) -> None:
    await database.write(fill)
    hits = await database.read(ask)
    by_cosine = sorted(hits, key=lambda hit: -hit.cosine)
    assert hits[0].number == MANY
    assert by_cosine[0].number != MANY


async def test_single_passage_is_still_near_to_a_question_about_it(database: Database) -> None:
    def put_one(connection: Connection) -> None:
        put_vector(connection, Place(MODEL, "ana", "en"), FILE, 1, vector(ENGLISH, BOILER))

    await database.write(put_one)
    (hit,) = await database.read(ask)
    assert hit.cosine == pytest.approx(1)
    assert hit.score > 0.8


async def test_passages_of_versions_that_knew_no_language_are_found(database: Database) -> None:
    def put_old(connection: Connection) -> None:
        put_vector(connection, Place(MODEL, "ana"), FILE, 1, vector(GERMAN, PIANO))
        put_vector(connection, Place(MODEL, "ana", "en"), FILE, 2, vector(ENGLISH, PIANO))
        connection.exec_driver_sql("DELETE FROM knowledge_centre_4 WHERE collection = 'model|ana'")

    await database.write(put_old)
    assert {hit.number for hit in await database.read(ask)} == {1, 2}


async def test_shared_passages_move_with_their_language_and_leave_no_trace(
    database: Database,
) -> None:
    await database.write(fill)
    numbers = list(range(1, MANY + 1))
    await database.write(lambda connection: move_vectors(connection, numbers, "household"))
    assert await database.read(ask) == []
    assert (await database.read(lambda connection: ask(connection, "household")))[0].number == MANY
    counted = await database.read(centres)
    assert counted == [("model|household|de", MANY // 2), ("model|household|en", MANY // 2)]
    await database.write(lambda connection: drop_vectors(connection, numbers))
    assert await database.read(centres) == []
