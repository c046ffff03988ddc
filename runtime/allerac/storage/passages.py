"""The passages of documents: kept, and found by words (FTS5) and by vectors (sqlite-vec).

https://sqlite.org/fts5.html and https://alexgarcia.xyz/sqlite-vec/. There is a table of vectors for
each width, because its width is part of it; a partition for each model and reader, so that a search
reads the vectors of that reader and of no one else.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, text

from allerac.errors import InvalidInput

from .knowledge_tables import knowledge_chunk
from .tables import person

FLOAT_BYTES = 4
MAX_WIDTH = 4096
MAX_QUERY_WORDS = 32


MAY_READ = (
    "AND (f.person_id = :person OR f.visibility = 'household' AND EXISTS "
    "(SELECT 1 FROM person p WHERE p.id = :person AND p.role <> 'guest')) "
)
"""One's own documents, and the household's for all but guests."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a document; pages count from 1 and are None where there are none."""

    position: int
    content: str
    heading: str
    first_page: int | None
    last_page: int | None
    tokens: int


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


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk's number; `score` is a cosine for vectors, and better if larger for words too."""

    number: int
    score: float


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
    table = _vector_table(connection, len(vectors[0]) // FLOAT_BYTES)
    place = _collection(model_id, file)
    for chunk, vector in zip(chunks, vectors, strict=True):
        number = connection.scalar(
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
        )
        connection.exec_driver_sql(
            "INSERT INTO knowledge_text (rowid, content, heading, name) VALUES (?, ?, ?, ?)",
            (number, chunk.content, chunk.heading, file.name),
        )
        connection.exec_driver_sql(
            f"INSERT INTO {table} (chunk_id, collection, file_number, embedding) "  # noqa: S608 - our own name
            "VALUES (?, ?, ?, ?)",
            (number, place, file.number, vector),
        )


def drop_chunks(connection: Connection, file_id: str) -> None:
    """Take a document out of both indexes."""
    where = knowledge_chunk.c.file_id == file_id
    numbers = connection.scalars(select(knowledge_chunk.c.id).where(where)).all()
    tables = _vector_tables(connection)
    for number in numbers:
        connection.exec_driver_sql("DELETE FROM knowledge_text WHERE rowid = ?", (number,))
        for table in tables:
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE chunk_id = ?", (number,))  # noqa: S608 - our own name
    connection.execute(delete(knowledge_chunk).where(where))


def count_indexed(connection: Connection, file_id: str) -> tuple[int, int, int]:
    """Return how many of a document's chunks there are: as text, by words, by vectors."""
    where = knowledge_chunk.c.file_id == file_id
    texts = connection.scalar(select(func.count()).where(where)) or 0
    numbers = "SELECT id FROM knowledge_chunk WHERE file_id = ?"
    words = connection.exec_driver_sql(
        f"SELECT count(*) FROM knowledge_text WHERE rowid IN ({numbers})",  # noqa: S608 - constant
        (file_id,),
    ).scalar_one()
    vectors = sum(
        connection.exec_driver_sql(
            f"SELECT count(*) FROM {table} WHERE chunk_id IN ({numbers})",  # noqa: S608 - our own name
            (file_id,),
        ).scalar_one()
        for table in _vector_tables(connection)
    )
    return texts, words, vectors


def move_collection(connection: Connection, file: Row[Any], visibility: str) -> None:
    """Let others find a document, or no others any more."""
    before = _collection(file.embedding_model_id, file)
    after = _collection(file.embedding_model_id, file, visibility)
    for table in _vector_tables(connection):
        rows = connection.exec_driver_sql(
            f"SELECT chunk_id, embedding FROM {table} WHERE collection = ? AND file_number = ?",  # noqa: S608 - our own name
            (before, file.number),
        ).all()
        for number, vector in rows:
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE chunk_id = ?", (number,))  # noqa: S608 - our own name
            connection.exec_driver_sql(
                f"INSERT INTO {table} (chunk_id, collection, file_number, embedding) "  # noqa: S608 - our own name
                "VALUES (?, ?, ?, ?)",
                (number, after, file.number, vector),
            )


def find_by_vector(
    connection: Connection, scope: Scope, model_id: str, vector: bytes, limit: int
) -> list[Hit]:
    """Return the chunks nearest to `vector`, nearest first."""
    table = f"knowledge_vector_{len(vector) // FLOAT_BYTES}"
    if table not in _vector_tables(connection):
        return []
    numbers = _file_numbers(connection, scope)
    if numbers is not None and not numbers:
        return []
    within = "" if numbers is None else f"AND file_number IN ({','.join(map(str, numbers))})"
    query = (
        f"SELECT chunk_id, distance FROM {table} WHERE collection = ? {within} "  # noqa: S608 - our own name and numbers
        "AND embedding MATCH ? AND k = ?"
    )
    hits: list[Hit] = []
    readers = [scope.person_id, *(["household"] if _is_of_the_house(connection, scope) else [])]
    for place in (f"{model_id}|{reader}" for reader in readers):
        rows = connection.exec_driver_sql(query, (place, vector, limit)).all()
        hits += [Hit(number, 1.0 - distance) for number, distance in rows]
    return sorted(hits, key=lambda hit: (-hit.score, hit.number))[:limit]


def find_by_words(
    connection: Connection, scope: Scope, words: Sequence[str], limit: int
) -> list[Hit]:
    """Return the chunks that have most of `words`, weighed by how rare each is, best first.

    A word that ends with an asterisk stands for all that begin with it.
    """
    match = " OR ".join(_quoted(word) for word in words if re.fullmatch(r"\w+\*?", word))
    if not match:
        return []
    within = _may_read(scope)
    rows = connection.execute(
        text(
            "SELECT t.rowid AS number, bm25(knowledge_text, 1.0, 2.0, 1.5) AS score "  # noqa: S608 - constants
            "FROM knowledge_text t JOIN knowledge_chunk c ON c.id = t.rowid "
            f"JOIN knowledge_file f ON f.id = c.file_id WHERE knowledge_text MATCH :words {within} "
            "ORDER BY score LIMIT :limit"
        ),
        {"words": match, "limit": limit, **_parameters(scope)},
    ).all()
    return [Hit(row.number, -row.score) for row in rows]


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


def _collection(model_id: str, file: Row[Any], visibility: str | None = None) -> str:
    shown = visibility or file.visibility
    return f"{model_id}|{'household' if shown == 'household' else file.person_id}"


def _vector_tables(connection: Connection) -> list[str]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' "
        "AND name GLOB 'knowledge_vector_[0-9]*' AND sql LIKE 'CREATE VIRTUAL%'"
    )
    return list(connection.exec_driver_sql(query).scalars())


def _vector_table(connection: Connection, width: int) -> str:
    if not 0 < width <= MAX_WIDTH:
        raise InvalidInput("These vectors have a width that cannot be kept.")
    name = f"knowledge_vector_{width}"
    connection.exec_driver_sql(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {name} USING vec0(chunk_id INTEGER PRIMARY KEY, "
        "collection TEXT PARTITION KEY, file_number INTEGER, "
        f"embedding float[{width}] distance_metric=cosine)"
    )
    return name
