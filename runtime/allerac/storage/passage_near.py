"""The nearest of very many vectors: by a byte for each number first, then exactly.

sqlite-vec reads every vector of a partition. It adds up how far bytes lie apart (L1) several times
faster than it takes the cosine of floats, and there is a quarter as much to read; what comes out
near is then compared as it is.

Versions that do not know these tables leave them true: what they remove or move, triggers remove
here. What they add is missing until `fill`; a partition with something missing is not searched
this way.
"""

import json
import math
from array import array
from operator import mul
from typing import Final

from sqlalchemy import Connection

from .knowledge_tables import passage_count, passage_vector

FLOAT_BYTES: Final = 4
SCALE: Final = 127 / 8
"""A number of a vector of length 1 is about 1 / sqrt(width); from eight times that on it is cut."""
SAMPLED: Final = 16
"""Each passage of so many is in a sample too: searched first, it tells how near is near enough."""
NEAR_IN_SAMPLE: Final = 64
"""As near as so many of the sample are about 1,000 of all, and only these are compared exactly."""
MOST: Final = 2_000
FROM_BYTES: Final = 8 << 20
"""Fewer floats are compared exactly as fast: those of 10,000 passages with 192 numbers each."""


def create_triggers(connection: Connection) -> None:
    """Keep the count, and let go of what another version moves to other readers."""
    changed = (
        "INSERT INTO passage_count (collection, passages) VALUES ({row}.collection, {by}) "
        "ON CONFLICT (collection) DO UPDATE SET passages = passages + {by}"
    )
    for name, event, row, by in (("in", "INSERT", "NEW", 1), ("out", "DELETE", "OLD", -1)):
        connection.exec_driver_sql(
            f"CREATE TRIGGER IF NOT EXISTS passage_vector_{name} AFTER {event} ON passage_vector "
            f"BEGIN {changed.format(row=row, by=by)}; END"
        )
    connection.exec_driver_sql(
        "CREATE TRIGGER IF NOT EXISTS passage_vector_moved "
        "AFTER UPDATE OF visibility ON knowledge_file WHEN OLD.visibility <> NEW.visibility BEGIN "
        "DELETE FROM passage_vector WHERE number IN "
        "(SELECT id FROM knowledge_chunk WHERE file_id = NEW.id) "
        "AND instr(collection || '|', '|' || CASE NEW.visibility "
        "WHEN 'household' THEN 'household' ELSE NEW.person_id END || '|') = 0; END"
    )


def keep(
    connection: Connection, collection: str, file_number: int, number: int, vector: bytes
) -> None:
    """Keep the vector of a passage, in place of what there was."""
    width = len(vector) // FLOAT_BYTES
    _create(connection, width)
    forget(connection, number)
    connection.execute(
        passage_vector.insert().values(number=number, collection=collection, vector=vector)
    )
    rows = [(number, collection, file_number, in_bytes(vector))]
    if number % SAMPLED == 0:
        rows.append((-number, _sample_of(collection), file_number, rows[0][3]))
    for row in rows:
        connection.exec_driver_sql(
            f"INSERT INTO knowledge_near_{width} (chunk_id, collection, file_number, embedding) "  # noqa: S608 - our own name
            "VALUES (?, ?, ?, vec_int8(?))",
            row,
        )


def forget(connection: Connection, number: int) -> None:
    """Remove the vector of a passage."""
    connection.execute(passage_vector.delete().where(passage_vector.c.number == number))


def is_whole(connection: Connection, collection: str, passages: int) -> bool:
    """Tell whether all `passages` of a partition are here."""
    query = passage_count.select().where(passage_count.c.collection == collection)
    row = connection.execute(query).first()
    return row is not None and row.passages == passages


def nearest_of(
    connection: Connection, collection: str, within: str, vector: bytes, limit: int
) -> list[tuple[int, float]]:
    """Return numbers and cosines of what is nearest in a partition, nearest first.

    `within` is a condition of SQL on `file_number`, or empty.
    """
    width = len(vector) // FLOAT_BYTES
    query = (
        f"SELECT chunk_id, distance FROM knowledge_near_{width} "  # noqa: S608 - our own name and condition
        f"WHERE collection = ? {within} AND embedding MATCH vec_int8(?) AND k = ?"
    )
    question = in_bytes(vector)
    sample = (_sample_of(collection), question, NEAR_IN_SAMPLE)
    near = [row.distance for row in connection.exec_driver_sql(query, sample)]
    bound = max(near) if len(near) == NEAR_IN_SAMPLE else math.inf
    all_near = (collection, question, MOST, bound)
    rows = connection.exec_driver_sql(f"{query} AND distance <= ?", all_near).all()
    exactly = (
        "SELECT number, 1 - vec_distance_cosine(vector, ?) AS cosine FROM passage_vector "
        "WHERE number IN (SELECT value FROM json_each(?)) ORDER BY cosine DESC, number LIMIT ?"
    )
    numbers = json.dumps([row.chunk_id for row in rows])
    found = connection.exec_driver_sql(exactly, (vector, numbers, limit)).all()
    return [(row.number, row.cosine) for row in found]


def missing(connection: Connection, after: int, limit: int) -> list[int]:
    """Return the next passages from `after` on that another version has added."""
    query = (
        "SELECT c.id FROM knowledge_chunk c LEFT JOIN passage_vector v ON v.number = c.id "
        "WHERE c.id > ? AND v.number IS NULL ORDER BY c.id LIMIT ?"
    )
    return list(connection.exec_driver_sql(query, (after, limit)).scalars())


def in_bytes(vector: bytes) -> bytes:
    """Return each number as a byte; vectors of the same direction become the same."""
    numbers = array("f", vector)
    length = math.sqrt(math.fsum(map(mul, numbers, numbers))) or 1.0
    factor = SCALE * math.sqrt(len(numbers)) / length
    return array("b", (max(-127, min(127, round(x * factor))) for x in numbers)).tobytes()


def _create(connection: Connection, width: int) -> None:
    connection.exec_driver_sql(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS knowledge_near_{width} USING vec0("
        "chunk_id INTEGER PRIMARY KEY, collection TEXT PARTITION KEY, file_number INTEGER, "
        f"embedding int8[{width}] distance_metric=L1)"
    )
    connection.exec_driver_sql(
        f"CREATE TRIGGER IF NOT EXISTS knowledge_near_{width}_out AFTER DELETE ON passage_vector "  # noqa: S608 - our own name
        f"WHEN length(OLD.vector) = {FLOAT_BYTES * width} "
        f"BEGIN DELETE FROM knowledge_near_{width} WHERE chunk_id = OLD.number; "
        f"DELETE FROM knowledge_near_{width} WHERE chunk_id = -OLD.number; END"
    )


def _sample_of(collection: str) -> str:
    return f"{collection}#"
