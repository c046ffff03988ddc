"""Searches for passages: by words and by vectors at once, each on a core of its own."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from .database import Database
from .passage_vectors import Hit
from .passages import Scope, StoredChunk, find_by_vector, find_by_words, load_chunks


@dataclass(frozen=True, slots=True)
class Hits:
    """What two searches found, each best first, and the passages by their numbers."""

    by_vector: list[Hit]
    by_words: list[Hit]
    chunks: Mapping[int, StoredChunk]


async def search_passages(
    database: Database,
    scope: Scope,
    words: Sequence[str],
    near: tuple[str, bytes] | None,
    limit: int,
) -> Hits:
    """Search by words and, where `near` has a model and a vector, by meaning.

    A passage that is removed meanwhile may be among the hits, but not among the chunks.
    """

    def vectors(connection: Connection) -> list[Hit]:
        return [] if near is None else find_by_vector(connection, scope, *near, limit)

    by_vector, by_words = await asyncio.gather(
        database.read(vectors),
        database.read(lambda connection: find_by_words(connection, scope, words, limit)),
    )
    numbers = {hit.number for hit in [*by_words, *by_vector]}
    return Hits(by_vector, by_words, await read_passages(database, scope.person_id, numbers))


async def read_passages(
    database: Database, person_id: str, numbers: Iterable[int]
) -> Mapping[int, StoredChunk]:
    """Return the passages of these numbers that the person may read and that still exist."""
    return await database.read(lambda connection: load_chunks(connection, person_id, numbers))
