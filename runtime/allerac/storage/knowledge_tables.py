"""Tables of documents, assistants and memories. Times are milliseconds since 1970 in UTC."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from .tables import metadata


def _id() -> Column[str]:
    return Column("id", String(36), primary_key=True)


def _time(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _owned(
    name: str, target: str, *, nullable: bool = False, primary_key: bool = False
) -> Column[str]:
    """A reference to a row with which this one goes."""
    reference = ForeignKey(target, ondelete="CASCADE")
    return Column(name, String(36), reference, nullable=nullable, primary_key=primary_key)


knowledge_file = Table(
    "knowledge_file",
    metadata,
    _id(),
    Column("number", Integer, nullable=False, unique=True),
    _owned("household_id", "household.id"),
    _owned("person_id", "person.id"),
    Column("visibility", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("folder", String(200), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("origin_path", Text, nullable=True),
    Column("kind", String(8), nullable=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=True),
    Column("state", String(16), nullable=False),
    Column("reason", String(64), nullable=True),
    Column("version", Integer, nullable=False),
    Column("pages", Integer, nullable=True),
    Column("chunks", Integer, nullable=False),
    Column("indexed_version", Integer, nullable=True),
    Column("embedding_model_id", String(128), nullable=True),
    _time("created_at"),
    _time("updated_at"),
)
"""`number` names the file in the index of vectors; `indexed_version` is what can be found now."""
Index("knowledge_file_by_person", knowledge_file.c.person_id, knowledge_file.c.id)
Index("knowledge_file_by_hash", knowledge_file.c.sha256)

knowledge_job = Table(
    "knowledge_job",
    metadata,
    _owned("file_id", "knowledge_file.id", primary_key=True),
    Column("stage", String(16), nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_owner", String(36), nullable=True),
    _time("lease_until", nullable=True),
    _time("created_at"),
)
"""One file to take in. A lease that is not renewed has ended, whoever held it."""

knowledge_chunk = Table(
    "knowledge_chunk",
    metadata,
    Column("id", Integer, primary_key=True),
    _owned("file_id", "knowledge_file.id"),
    Column("position", Integer, nullable=False),
    Column("first_page", Integer, nullable=True),
    Column("last_page", Integer, nullable=True),
    Column("heading", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("tokens", Integer, nullable=False),
    UniqueConstraint("file_id", "position", name="knowledge_chunk_in_order"),
    sqlite_autoincrement=True,
)
"""Its number is that of its row in the indexes of words and of vectors, and never used again."""

passage_vector = Table(
    "passage_vector",
    metadata,
    Column(
        "number", Integer, ForeignKey("knowledge_chunk.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("collection", Text, nullable=False),
    Column("vector", LargeBinary, nullable=False),
)
"""A passage's vector once more, to be read by its number; see `passage_near`."""

passage_count = Table(
    "passage_count",
    metadata,
    Column("collection", Text, primary_key=True),
    Column("passages", Integer, nullable=False),
)
"""How many of a partition are in `passage_vector`; triggers keep it."""

assistant = Table(
    "assistant",
    metadata,
    _id(),
    _owned("household_id", "household.id"),
    _owned("person_id", "person.id"),
    Column("visibility", String(16), nullable=False),
    Column("name", String(64), nullable=False),
    Column("description", String(200), nullable=False),
    Column("avatar", String(32), nullable=False),
    Column("instructions", Text, nullable=False),
    Column("model_id", String(128), nullable=True),
    Column("temperature", Float, nullable=True),
    Column("max_tokens", Integer, nullable=True),
    Column("starters", JSON, nullable=False),
    Column("uses_knowledge", Boolean, nullable=False),
    _time("deleted_at", nullable=True),
    _time("created_at"),
    _time("updated_at"),
)
Index("assistant_by_person", assistant.c.person_id, assistant.c.id)

assistant_file = Table(
    "assistant_file",
    metadata,
    _owned("assistant_id", "assistant.id", primary_key=True),
    _owned("file_id", "knowledge_file.id", primary_key=True),
)
"""What an assistant looks into."""
Index("assistant_file_by_file", assistant_file.c.file_id)

assistant_narrowing = Table(
    "assistant_narrowing",
    metadata,
    _owned("assistant_id", "assistant.id", primary_key=True),
)
"""Assistants that look into their own documents alone, also when none of these is left."""

conversation_scope = Table(
    "conversation_scope",
    metadata,
    _owned("conversation_id", "conversation.id", primary_key=True),
    _owned("assistant_id", "assistant.id", nullable=True),
    Column("uses_knowledge", Boolean, nullable=False),
    Column("folder", String(200), nullable=True),
)
"""Who answers in a conversation and where it looks; without a row: nobody special, everywhere."""

memory = Table(
    "memory",
    metadata,
    _id(),
    _owned("person_id", "person.id"),
    Column("content", String(500), nullable=False),
    Column("state", String(16), nullable=False),
    _owned("conversation_id", "conversation.id", nullable=True),
    Column("message_id", String(36), nullable=True),
    _time("created_at"),
    _time("updated_at"),
)
Index("memory_by_person", memory.c.person_id, memory.c.id)

memory_switch = Table(
    "memory_switch",
    metadata,
    _owned("person_id", "person.id", primary_key=True),
    Column("enabled", Boolean, nullable=False),
)

answer_trace = Table(
    "answer_trace",
    metadata,
    _owned("message_id", "message.id", primary_key=True),
    _owned("person_id", "person.id"),
    Column("trace", JSON, nullable=False),
    _time("created_at"),
)
"""What was looked for before an answer. Holds numbers of chunks, never their text: what is removed
is gone from here too."""

ADDED = (
    knowledge_file,
    knowledge_job,
    knowledge_chunk,
    assistant,
    assistant_file,
    conversation_scope,
    memory,
    memory_switch,
    answer_trace,
)
"""In the order of their references."""

NEAR = (passage_vector, passage_count)
"""Of a later version than the others."""
