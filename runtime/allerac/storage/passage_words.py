"""The words of all documents with their vectors: which of them mean the same.

Words are the terms of the index of passages, as https://sqlite.org/fts5.html#the_fts5vocab_virtual_table_module
lists them. A word alone tells nothing of whose document it stands in; one that stands in none any
more goes. The tables are made when the first words are kept, so that versions without them need
none.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row

from .database import Database
from .passage_near import in_bytes

MAX_WORDS: Final = 50_000
"""For each model; the rest is found by its letters alone."""
LEAST_LETTERS, MOST_LETTERS = 3, 32


@dataclass(frozen=True, slots=True)
class Missing:
    """Words without a vector; after which one to look on, None at the end of all words."""

    words: tuple[str, ...]
    after: str | None


class WordStore:
    """The table `knowledge_word`: vectors as bytes, by model and word."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def missing(self, model_id: str, after: str, limit: int) -> Missing:
        """Return the next words that have no vector of this model."""
        await self._database.write(_create)
        return await self._database.read(
            lambda connection: _missing(connection, model_id, after, limit)
        )

    async def keep(self, model_id: str, vectors: Mapping[str, bytes]) -> None:
        """Keep the vectors, float32 in little endian, of words that still stand somewhere."""
        rows = [(model_id, word, in_bytes(vector)) for word, vector in vectors.items()]

        def work(connection: Connection) -> None:
            for row in rows:
                connection.exec_driver_sql(
                    "INSERT OR REPLACE INTO knowledge_word (model_id, word, vector) "
                    "SELECT ?, term, ? FROM knowledge_term WHERE term = ?",
                    (row[0], row[2], row[1]),
                )

        await self._database.write(work)

    async def forget_unused(self, model_id: str) -> None:
        """Let go of words that stand in no document any more, and of other models' words."""

        def work(connection: Connection) -> None:
            _create(connection)
            connection.exec_driver_sql(
                "DELETE FROM knowledge_word WHERE model_id <> ? "
                "OR word NOT IN (SELECT term FROM knowledge_term)",
                (model_id,),
            )

        await self._database.write(work)

    async def known(self, model_id: str, words: Iterable[str]) -> Mapping[str, bytes]:
        """Return the vectors, as bytes, of those of `words` that have one."""
        query = (
            "SELECT word, vector FROM knowledge_word WHERE model_id = ? "
            "AND word IN (SELECT value FROM json_each(?))"
        )
        wanted = (model_id, json.dumps([*words]))

        def work(connection: Connection) -> Mapping[str, bytes]:
            if not _is_there(connection):
                return {}
            rows = connection.exec_driver_sql(query, wanted)
            return {row.word: row.vector for row in rows}

        return await self._database.read(work)

    async def near(
        self, model_id: str, vectors: Mapping[str, bytes], words: Iterable[str]
    ) -> Mapping[str, Mapping[str, float]]:
        """Return the cosines of each of `vectors`, by their words, with the known ones of `words`.

        Empty where none is known.
        """
        columns = ", ".join(
            ["1 - vec_distance_cosine(vec_int8(vector), vec_int8(?))"] * len(vectors)
        )
        query = (
            f"SELECT word, {columns} FROM knowledge_word WHERE model_id = ? "  # noqa: S608 - constants
            "AND length(vector) = ? AND word IN (SELECT value FROM json_each(?))"
        )

        def work(connection: Connection) -> Sequence[Row[Any]]:
            if not vectors or not _is_there(connection):
                return []
            width = len(next(iter(vectors.values())))
            wanted = (*vectors.values(), model_id, width, json.dumps([*words]))
            return connection.exec_driver_sql(query, wanted).all()

        rows = await self._database.read(work)
        others, *cosines = zip(*rows, strict=True) if rows else [()]
        return {
            word: dict(zip(others, column, strict=True))
            for word, column in zip(vectors, cosines, strict=False)
        }


def _create(connection: Connection) -> None:
    if _is_there(connection):
        return
    connection.exec_driver_sql(
        "CREATE VIRTUAL TABLE knowledge_term USING fts5vocab(knowledge_text, row)"
    )
    connection.exec_driver_sql(
        "CREATE TABLE knowledge_word (model_id TEXT NOT NULL, word TEXT NOT NULL, "
        "vector BLOB NOT NULL, PRIMARY KEY (model_id, word)) WITHOUT ROWID"
    )


def _is_there(connection: Connection) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'knowledge_word'"
    return connection.exec_driver_sql(query).first() is not None


def _missing(connection: Connection, model_id: str, after: str, limit: int) -> Missing:
    count = "SELECT count(*) FROM knowledge_word WHERE model_id = ?"
    room = MAX_WORDS - connection.exec_driver_sql(count, (model_id,)).scalar_one()
    query = (
        "SELECT term FROM knowledge_term WHERE term > ? AND length(term) BETWEEN ? AND ? "
        "AND term NOT GLOB '*[0-9]*' AND NOT EXISTS "
        "(SELECT 1 FROM knowledge_word w WHERE w.model_id = ? AND w.word = term) LIMIT ?"
    )
    many = max(0, min(limit, room))
    wanted = (after, LEAST_LETTERS, MOST_LETTERS, model_id, many)
    words = tuple(connection.exec_driver_sql(query, wanted).scalars())
    return Missing(words, words[-1] if words else None)
