"""The vectors of passages, in sqlite-vec: https://alexgarcia.xyz/sqlite-vec/.

There is a table of them for each width, because its width is part of it; a partition for each
model, reader and language, so that a search reads the vectors of that reader and of no one else.

A model that reads many languages still puts texts of one language nearer to each other than to
their translations, so that a question finds what is written in its own language and nothing else.
What it has in common with any passage of a language is therefore taken off (Yang et al., "A Simple
and Effective Method To Eliminate the Self Language Bias in Multilingual Representations", EMNLP
2021, do the same by projection). For that the sum of each partition's vectors is kept.
"""

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from typing import Final

from sqlalchemy import Connection

from allerac.errors import InvalidInput

from .passage_near import FLOAT_BYTES, FROM_BYTES, forget, is_whole, keep, missing, nearest_of

MAX_WIDTH: Final = 4096
LANGUAGE_WEIGHT: Final = 1.2
"""How much of a language's own nearness is taken off; chosen as docs/benchmarks.md tells."""
FEW_WANTED: Final = 100
"""Of more than these, `nearest_of` would miss some."""
FEW: Final = 20
"""A few passages say little of what is usual: as many count along that are like all others."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage's number; the larger `score`, the better.

    For vectors `cosine` is theirs, and the score is what of it is not owed to the language alone.
    """

    number: int
    score: float
    cosine: float = 0.0


@dataclass(frozen=True, slots=True)
class Place:
    """A partition: whose vectors of which model and language; the language "" is not known."""

    model_id: str
    reader: str
    language: str = ""

    @property
    def name(self) -> str:
        """The partition's key; without a language it is that of versions which knew none."""
        known = (self.model_id, self.reader, *([self.language] if self.language else []))
        return "|".join(known)

    @classmethod
    def of(cls, name: str) -> "Place":
        """Return the place of this name."""
        model_id, reader, *language = name.split("|")
        return cls(model_id, reader, *language)


def put_vector(
    connection: Connection, place: Place, file_number: int, number: int, vector: bytes
) -> None:
    """Keep the vector of a passage. Raises `InvalidInput` for a width that cannot be kept."""
    width = len(vector) // FLOAT_BYTES
    _create(connection, width)
    connection.exec_driver_sql(
        f"INSERT INTO knowledge_vector_{width} (chunk_id, collection, file_number, embedding) "  # noqa: S608 - our own name
        "VALUES (?, ?, ?, ?)",
        (number, place.name, file_number, vector),
    )
    connection.exec_driver_sql(
        f"INSERT INTO knowledge_centre_{width} VALUES (?, 1, vec_normalize(?)) "  # noqa: S608 - our own name
        "ON CONFLICT (collection) DO UPDATE SET "
        "passages = passages + 1, total = vec_add(total, excluded.total)",
        (place.name, vector),
    )
    keep(connection, place.name, file_number, number, vector)


def drop_vectors(connection: Connection, numbers: Sequence[int]) -> None:
    """Remove the vectors of these passages."""
    for width in _widths(connection):
        for number in numbers:
            _drop(connection, width, number)
    for number in numbers:
        forget(connection, number)


def move_vectors(connection: Connection, numbers: Sequence[int], reader: str) -> None:
    """Let `reader` find these passages, and no one else any more."""
    for width in _widths(connection):
        for number in numbers:
            row = connection.exec_driver_sql(
                "SELECT collection, file_number, embedding "  # noqa: S608 - our own name
                f"FROM knowledge_vector_{width} WHERE chunk_id = ?",
                (number,),
            ).first()
            if row is not None:
                _drop(connection, width, number)
                was = Place.of(row.collection)
                place = Place(was.model_id, reader, was.language)
                put_vector(connection, place, row.file_number, number, row.embedding)


def count_vectors(connection: Connection, file_id: str) -> int:
    """Return how many passages of a document have a vector."""
    return sum(
        connection.exec_driver_sql(
            f"SELECT count(*) FROM knowledge_vector_{width} WHERE chunk_id IN "  # noqa: S608 - our own name
            "(SELECT id FROM knowledge_chunk WHERE file_id = ?)",
            (file_id,),
        ).scalar_one()
        for width in _widths(connection)
    )


def fill_near(connection: Connection, after: int, limit: int) -> int | None:
    """Add up to `limit` passages that an older version left out of what finds near ones fast.

    Returns after which number to go on; None when none is missing any more.
    """
    numbers = missing(connection, after, limit)
    for width in _widths(connection) if numbers else ():
        rows = connection.exec_driver_sql(
            "SELECT chunk_id, collection, file_number, embedding "  # noqa: S608 - our own name and numbers
            f"FROM knowledge_vector_{width} WHERE chunk_id IN ({_listed(numbers)})"
        ).all()
        for row in rows:
            keep(connection, row.collection, row.file_number, row.chunk_id, row.embedding)
    return max(numbers, default=None)


def nearest(
    connection: Connection,
    model_id: str,
    readers: Sequence[str],
    file_numbers: Sequence[int] | None,
    vector: bytes,
    limit: int,
) -> list[Hit]:
    """Return what `readers` have nearest to `vector`, nearest first.

    `file_numbers` narrows it to these documents; None leaves that open.
    """
    width = len(vector) // FLOAT_BYTES
    if width not in _widths(connection):
        return []
    within = "" if file_numbers is None else f"AND file_number IN ({_listed(file_numbers)})"
    hits: list[Hit] = []
    for name, (passages, usual) in _usual(connection, model_id, readers, vector).items():
        is_long = passages * len(vector) >= FROM_BYTES and limit <= FEW_WANTED
        search = nearest_of if is_long and is_whole(connection, name, passages) else _exactly
        cosines = search(connection, name, within, vector, limit)
        hits += [Hit(number, near - LANGUAGE_WEIGHT * usual, near) for number, near in cosines]
    return sorted(hits, key=lambda hit: (-hit.score, hit.number))[:limit]


def _exactly(
    connection: Connection, collection: str, within: str, vector: bytes, limit: int
) -> list[tuple[int, float]]:
    """Return the same as `nearest_of`, from a scan of all."""
    width = len(vector) // FLOAT_BYTES
    query = (
        f"SELECT chunk_id, distance FROM knowledge_vector_{width} "  # noqa: S608 - our own name and numbers
        f"WHERE collection = ? {within} AND embedding MATCH ? AND k = ?"
    )
    rows = connection.exec_driver_sql(query, (collection, vector, limit)).all()
    return [(row.chunk_id, 1.0 - row.distance) for row in rows]


def _usual(
    connection: Connection, model_id: str, readers: Sequence[str], vector: bytes
) -> Mapping[str, tuple[int, float]]:
    """Return, for each partition, how many passages it has and how near any of its language is."""
    width = len(vector) // FLOAT_BYTES
    found: dict[str, tuple[int, float]] = {}
    for reader in readers:
        name = Place(model_id, reader).name
        rows = connection.exec_driver_sql(
            f"SELECT collection, passages, total FROM knowledge_centre_{width} "  # noqa: S608 - our own name
            "WHERE collection = ? OR collection >= ? AND collection < ?",
            (name, f"{name}|", f"{name}}}"),  # } is the sign after |
        )
        found[name] = (0, 0.0)
        found |= {row.collection: (row.passages, _cosine(vector, row.total)) for row in rows}
    count, total = _added(found.values())
    of_all = total / (count + FEW)
    usual = {}
    for language in {Place.of(name).language for name in found}:
        same = (sums for name, sums in found.items() if Place.of(name).language == language)
        count, total = _added(same)
        usual[language] = (total + FEW * of_all) / (count + FEW)
    return {name: (found[name][0], usual[Place.of(name).language]) for name in found}


def _added(sums: Iterable[tuple[int, float]]) -> tuple[int, float]:
    counts, totals = zip(*sums, strict=True)
    return sum(counts), sum(totals)


def _cosine(vector: bytes, total: bytes) -> float:
    """Return the sum of the cosines of `vector` with all that make up `total`."""
    one, other = array("f", vector), array("f", total)
    length = math.sqrt(math.fsum(map(mul, one, one))) or 1.0
    return math.fsum(map(mul, one, other)) / length


def _drop(connection: Connection, width: int, number: int) -> None:
    row = connection.exec_driver_sql(
        f"SELECT collection, embedding FROM knowledge_vector_{width} WHERE chunk_id = ?",  # noqa: S608 - our own name
        (number,),
    ).first()
    if row is None:
        return
    connection.exec_driver_sql(
        f"DELETE FROM knowledge_vector_{width} WHERE chunk_id = ?",  # noqa: S608 - our own name
        (number,),
    )
    connection.exec_driver_sql(
        f"UPDATE knowledge_centre_{width} SET passages = passages - 1, "  # noqa: S608 - our own name
        "total = vec_sub(total, vec_normalize(?)) WHERE collection = ?",
        (row.embedding, row.collection),
    )
    connection.exec_driver_sql(f"DELETE FROM knowledge_centre_{width} WHERE passages <= 0")  # noqa: S608 - our own name


def _widths(connection: Connection) -> list[int]:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' "
        "AND name GLOB 'knowledge_vector_[0-9]*' AND sql LIKE 'CREATE VIRTUAL%'"
    )
    names = connection.exec_driver_sql(query).scalars()
    return [int(name.removeprefix("knowledge_vector_")) for name in names]


def _create(connection: Connection, width: int) -> None:
    if not 0 < width <= MAX_WIDTH:
        raise InvalidInput("These vectors have a width that cannot be kept.")
    connection.exec_driver_sql(
        f"CREATE VIRTUAL TABLE IF NOT EXISTS knowledge_vector_{width} USING vec0("
        "chunk_id INTEGER PRIMARY KEY, collection TEXT PARTITION KEY, file_number INTEGER, "
        f"embedding float[{width}] distance_metric=cosine)"
    )
    connection.exec_driver_sql(
        f"CREATE TABLE IF NOT EXISTS knowledge_centre_{width} (collection TEXT PRIMARY KEY, "
        "passages INTEGER NOT NULL, total BLOB NOT NULL) WITHOUT ROWID"
    )


def _listed(numbers: Sequence[int]) -> str:
    return ",".join(map(str, numbers))
