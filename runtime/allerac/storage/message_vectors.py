"""What messages mean, as vectors of a few sentences each; they go with their messages.

A person has thousands of them and not a hundred thousand, so each search compares all of theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    func,
    select,
    text,
)

from .passage_vectors import FEW, LANGUAGE_WEIGHT
from .tables import metadata

NEAREST: Final = 40

message_vector = Table(
    "message_vector",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message_id", String(36), ForeignKey("message.id", ondelete="CASCADE"), nullable=False),
    Column(
        "conversation_id",
        String(36),
        ForeignKey("conversation.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("person_id", String(36), ForeignKey("person.id", ondelete="CASCADE"), nullable=False),
    Column("model_id", String(128), nullable=False),
    Column("start", Integer, nullable=False),
    Column("length", Integer, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
"""`start` and `length` are those of the sentences in the message, in code points."""
Index("message_vector_by_message", message_vector.c.message_id)
Index("message_vector_by_conversation", message_vector.c.conversation_id)
Index("message_vector_by_person", message_vector.c.person_id)


@dataclass(frozen=True, slots=True)
class Near:
    """What a search is near to. From `floor` on texts are related; it is of the cosine.

    Where it `is_centred`, it is of what the cosine has more than is usual among the messages.
    """

    model_id: str
    vector: bytes
    floor: float
    is_centred: bool = False


def create_message_vectors(connection: Connection) -> None:
    """Create the table; what a person deletes or a new text replaces is gone from it at once."""
    message_vector.create(connection, checkfirst=True)
    connection.exec_driver_sql(
        "CREATE TRIGGER IF NOT EXISTS message_vector_of_other_text "
        "AFTER UPDATE OF content ON message WHEN OLD.content <> NEW.content "
        "BEGIN DELETE FROM message_vector WHERE message_id = NEW.id; END"
    )
    connection.exec_driver_sql(
        "CREATE TRIGGER IF NOT EXISTS message_vector_of_deleted "
        "AFTER UPDATE OF deleted_at ON conversation WHEN NEW.deleted_at IS NOT NULL "
        "BEGIN DELETE FROM message_vector WHERE conversation_id = NEW.id; END"
    )


def newest_vector(connection: Connection) -> int:
    """Return the number of the newest row."""
    return connection.scalar(select(func.max(message_vector.c.id))) or 0


def near_conversations(
    connection: Connection, person_id: str, near: Near, *, archived: str, newest: int
) -> Mapping[str, str]:
    """Return this person's conversations with something near, and what it is, nearest first."""
    rows = connection.execute(
        text(_NEAR),
        {
            "person": person_id,
            "model": near.model_id,
            "vector": near.vector,
            "bytes": len(near.vector),
            "archived": archived,
            "newest": newest,
            "weight": LANGUAGE_WEIGHT if near.is_centred else 0.0,
            "few": FEW,
            "floor": near.floor,
            "count": NEAREST,
        },
    )
    return {row.conversation: row.passage for row in rows}


_NEAR = """
WITH near AS MATERIALIZED (
    SELECT v.id, v.conversation_id, v.message_id, v.start, v.length,
        1 - vec_distance_cosine(v.vector, :vector) AS cosine
    FROM message_vector v JOIN conversation c ON c.id = v.conversation_id
    WHERE v.person_id = :person AND c.person_id = :person AND c.deleted_at IS NULL
    AND v.model_id = :model AND length(v.vector) = :bytes AND v.id <= :newest
    AND (:archived = 'include' OR (c.archived_at IS NOT NULL) = (:archived = 'only'))
), usual AS (
    SELECT :weight * coalesce(sum(cosine), 0) / (count(*) + :few) AS cosine FROM near
), ranked AS (
    SELECT near.*, row_number() OVER (
        PARTITION BY near.conversation_id ORDER BY near.cosine DESC, near.id
    ) AS place
    FROM near, usual WHERE near.cosine - usual.cosine >= :floor
)
SELECT ranked.conversation_id AS conversation,
    substr(m.content, ranked.start + 1, ranked.length) AS passage
FROM ranked JOIN message m ON m.id = ranked.message_id WHERE ranked.place = 1
ORDER BY ranked.cosine DESC, ranked.id LIMIT :count
"""
