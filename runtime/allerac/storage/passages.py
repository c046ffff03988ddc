"""The passages of documents: kept, and found by words and by vectors.

The words are those of FTS5: https://sqlite.org/fts5.html.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, text

from .knowledge_tables import knowledge_chunk, knowledge_file
from .passage_vectors import (
    Hit,
    Place,
    count_vectors,
    drop_vectors,
    move_vectors,
    nearest,
    put_vector,
)
from .tables import person

HOUSEHOLD = "household"
AMONG = 10
"""So many times as many hits as wanted are looked at first; to ask of each whose it is takes longer
than to find it."""

MAY_READ = (
    "AND (f.person_id = :person OR f.visibility = 'household' AND EXISTS "
    "(SELECT 1 FROM person p WHERE p.id = :person AND p.role <> 'guest')) "
)
"""One's own documents, and the household's for all but guests."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a document; pages count from 1 and are None where there are none.

    `language` is a two-letter code, "" when it is not known; it is asked for only when indexing.
    """

    position: int
    content: str
    heading: str
    first_page: int | None
    last_page: int | None
    tokens: int
    language: str = ""


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk with its number and the document that it is of."""

    number: int
    file_id: str
    file_name: str
    file_kind: str
    file_version: int
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search may see: the person's own documents and the household's.

    `file_ids` narrows it to these, `folder` to a folder; None leaves that open.
    """

    person_id: str
    file_ids: frozenset[str] | None = None
    folder: str | None = None


def create_word_index(connection: Connection) -> None:
    """Create the index of words; its row numbers are those of `knowledge_chunk`."""
    connection.exec_driver_sql(
        "CREATE VIRTUAL TABLE IF NOT EXISTS knowledge_text USING fts5("
        "content, heading, name, tokenize='unicode61 remove_diacritics 2')"
    )


def put_chunks(
    connection: Connection,
    file: Row[Any],
    model_id: str,
    chunks: Sequence[Chunk],
    vectors: Sequence[bytes],
) -> None:
    """Put a document's chunks in place of those that it had, in both indexes."""
    drop_chunks(connection, file.id)
    if not chunks:
        return
    reader = _reader(file, file.visibility)
    for chunk, vector in zip(chunks, vectors, strict=True):
        number = connection.execute(
            insert(knowledge_chunk)
            .values(
                file_id=file.id,
                position=chunk.position,
                first_page=chunk.first_page,
                last_page=chunk.last_page,
                heading=chunk.heading,
                content=chunk.content,
                tokens=chunk.tokens,
            )
            .returning(knowledge_chunk.c.id)
        ).scalar_one()
        connection.exec_driver_sql(
            "INSERT INTO knowledge_text (rowid, content, heading, name) VALUES (?, ?, ?, ?)",
            (number, chunk.content, chunk.heading, file.name),
        )
        place = Place(model_id, reader, chunk.language)
        put_vector(connection, place, file.number, number, vector)


def drop_chunks(connection: Connection, file_id: str) -> None:
    """Take a document out of both indexes."""
    where = knowledge_chunk.c.file_id == file_id
    numbers = connection.scalars(select(knowledge_chunk.c.id).where(where)).all()
    for number in numbers:
        connection.exec_driver_sql("DELETE FROM knowledge_text WHERE rowid = ?", (number,))
    drop_vectors(connection, numbers)
    connection.execute(delete(knowledge_chunk).where(where))


def drop_documents_of(connection: Connection, person_id: str) -> None:
    """Take all documents of a person out of both indexes, which know no foreign keys."""
    query = select(knowledge_file.c.id).where(knowledge_file.c.person_id == person_id)
    for file_id in connection.scalars(query).all():
        drop_chunks(connection, file_id)


def count_indexed(connection: Connection, file_id: str) -> tuple[int, int, int]:
    """Return how many of a document's chunks there are: as text, by words, by vectors."""
    where = knowledge_chunk.c.file_id == file_id
    texts = connection.scalar(select(func.count()).where(where)) or 0
    numbers = "SELECT id FROM knowledge_chunk WHERE file_id = ?"
    words = connection.exec_driver_sql(
        f"SELECT count(*) FROM knowledge_text WHERE rowid IN ({numbers})",  # noqa: S608 - constant
        (file_id,),
    ).scalar_one()
    return texts, words, count_vectors(connection, file_id)


def move_collection(connection: Connection, file: Row[Any], visibility: str) -> None:
    """Let others find a document, or no others any more."""
    query = select(knowledge_chunk.c.id).where(knowledge_chunk.c.file_id == file.id)
    move_vectors(connection, connection.scalars(query).all(), _reader(file, visibility))


def rename_chunks(connection: Connection, file_id: str, name: str) -> None:
    """Let a document be found by the words of its new name, and no more by those of the old."""
    connection.exec_driver_sql(
        "UPDATE knowledge_text SET name = ? "
        "WHERE rowid IN (SELECT id FROM knowledge_chunk WHERE file_id = ?)",
        (name, file_id),
    )


def find_by_vector(
    connection: Connection, scope: Scope, model_id: str, vector: bytes, limit: int
) -> list[Hit]:
    """Return the chunks nearest to `vector`, nearest first."""
    numbers = _file_numbers(connection, scope)
    if numbers is not None and not numbers:
        return []
    readers = [scope.person_id, *([HOUSEHOLD] if _is_of_the_house(connection, scope) else [])]
    return nearest(connection, model_id, readers, numbers, vector, limit)


def find_by_words(
    connection: Connection, scope: Scope, words: Sequence[str], limit: int
) -> list[Hit]:
    """Return the chunks that have most of `words`, weighed by how rare each is, best first.

    A word that ends with an asterisk stands for all that begin with it.
    """
    match = " OR ".join(_quoted(word) for word in words if re.fullmatch(r"\w+\*?", word))
    if not match:
        return []
    query = text(
        "SELECT hit.number, hit.score, EXISTS (SELECT 1 FROM knowledge_chunk c "  # noqa: S608 - constants
        "JOIN knowledge_file f ON f.id = c.file_id "
        f"WHERE c.id = hit.number {_may_read(scope)}) AS is_readable FROM ("
        "SELECT rowid AS number, bm25(knowledge_text, 1.0, 2.0, 1.5) AS score "
        "FROM knowledge_text WHERE knowledge_text MATCH :words ORDER BY score, rowid LIMIT :many"
        ") AS hit ORDER BY hit.score, hit.number"
    )
    many = limit * AMONG
    while True:
        parameters = {"words": match, "many": many, **_parameters(scope)}
        rows = connection.execute(query, parameters).all()
        hits = [Hit(row.number, -row.score) for row in rows if row.is_readable]
        if len(hits) >= limit or len(rows) < many:
            return hits[:limit]
        many *= many


def _quoted(word: str) -> str:
    return f'"{word[:-1]}"*' if word.endswith("*") else f'"{word}"'


def load_chunks(
    connection: Connection, person_id: str, numbers: Iterable[int]
) -> Mapping[int, StoredChunk]:
    """Return the chunks of these numbers that the person may read."""
    wanted = list(numbers)
    query = text(
        "SELECT c.*, f.name, f.kind, f.version FROM knowledge_chunk c "  # noqa: S608 - constants
        "JOIN knowledge_file f ON f.id = c.file_id WHERE c.id IN :numbers "
        f"{MAY_READ}"
    ).bindparams(bindparam("numbers", expanding=True))
    rows = connection.execute(query, {"numbers": wanted, "person": person_id})
    return {row.id: stored_chunk(row) for row in rows}


def stored_chunk(row: Row[Any]) -> StoredChunk:
    """Return a joined row of chunk and document."""
    return StoredChunk(
        number=row.id,
        file_id=row.file_id,
        file_name=row.name,
        file_kind=row.kind or "",
        file_version=row.version,
        chunk=Chunk(
            position=row.position,
            content=row.content,
            heading=row.heading,
            first_page=row.first_page,
            last_page=row.last_page,
            tokens=row.tokens,
        ),
    )


def _is_of_the_house(connection: Connection, scope: Scope) -> bool:
    query = select(person.c.role).where(person.c.id == scope.person_id)
    return connection.scalar(query) not in (None, "guest")


def _may_read(scope: Scope) -> str:
    conditions = MAY_READ
    if scope.folder is not None:
        conditions += " AND f.folder = :folder"
    if scope.file_ids is not None:
        conditions += " AND f.id IN (SELECT value FROM json_each(:files))"
    return conditions


def _parameters(scope: Scope) -> dict[str, object]:
    return {
        "person": scope.person_id,
        **({"folder": scope.folder} if scope.folder is not None else {}),
        **({"files": json.dumps(sorted(scope.file_ids))} if scope.file_ids is not None else {}),
    }


def _file_numbers(connection: Connection, scope: Scope) -> list[int] | None:
    """Return the numbers to which `scope` is narrowed; None when it is not."""
    if scope.file_ids is None and scope.folder is None:
        return None
    query = f"SELECT f.number FROM knowledge_file f WHERE true {_may_read(scope)}"  # noqa: S608 - constants
    return list(connection.execute(text(query), _parameters(scope)).scalars())


def _reader(file: Row[Any], visibility: str) -> str:
    return HOUSEHOLD if visibility == "household" else str(file.person_id)
