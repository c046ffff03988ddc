"""The tables, for SQLite and PostgreSQL alike. Times are milliseconds since 1970 in UTC."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)

metadata = MetaData()


def _id() -> Column[str]:
    return Column("id", String(36), primary_key=True)


def _time(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _reference(name: str, target: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, String(36), ForeignKey(target), nullable=nullable)


household = Table(
    "household",
    metadata,
    _id(),
    Column("name", String(64), nullable=False),
    Column("only", Integer, nullable=False, unique=True, server_default="1"),
    _time("created_at"),
)
"""`only` is always 1 on a box: its uniqueness is what makes the claim happen once."""

box = Table(
    "box",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device_id", String(36), nullable=False),
    Column("suffix", String(8), nullable=False),
    Column("name", String(64), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("language", String(8), nullable=False),
    _time("claimed_at", nullable=True),
    Column("default_model_id", String(128), nullable=True),
    Column("automatic_updates", Boolean, nullable=False),
    Column("update_hour", Integer, nullable=False),
)

onboarding = Table(
    "onboarding",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("draft", JSON, nullable=False),
    _time("updated_at"),
)

person = Table(
    "person",
    metadata,
    _id(),
    _reference("household_id", "household.id"),
    Column("name", String(64), nullable=False),
    Column("name_key", String(256), nullable=False),
    Column("role", String(16), nullable=False),
    Column("language", String(8), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("recovery_hash", Text, nullable=True),
    _time("disabled_at", nullable=True),
    _time("created_at"),
    UniqueConstraint("household_id", "name_key", name="person_name_is_unique"),
)
Index(
    "one_owner_per_household",
    person.c.household_id,
    unique=True,
    sqlite_where=text("role = 'owner'"),
)

session = Table(
    "session",
    metadata,
    _id(),
    _reference("person_id", "person.id"),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("agent", String(200), nullable=False),
    Column("address", String(64), nullable=False),
    _time("created_at"),
    _time("last_seen_at"),
    _time("expires_at"),
)
Index("session_by_person", session.c.person_id)

api_key = Table(
    "api_key",
    metadata,
    _id(),
    _reference("person_id", "person.id"),
    Column("name", String(64), nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    _time("created_at"),
    _time("last_used_at", nullable=True),
    _time("revoked_at", nullable=True),
)
Index("api_key_by_person", api_key.c.person_id)

invitation = Table(
    "invitation",
    metadata,
    _id(),
    _reference("household_id", "household.id"),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    _reference("created_by", "person.id"),
    _time("created_at"),
    _time("expires_at"),
    _time("used_at", nullable=True),
    _reference("used_by", "person.id", nullable=True),
    _time("revoked_at", nullable=True),
)

attempt = Table(
    "attempt",
    metadata,
    Column("bucket", String(128), primary_key=True),
    _time("window_start"),
    Column("count", Integer, nullable=False),
)
"""Wrong guesses; kept on disk so that a restart does not forgive them."""

conversation = Table(
    "conversation",
    metadata,
    _id(),
    _reference("household_id", "household.id"),
    _reference("person_id", "person.id"),
    Column("title", String(200), nullable=True),
    Column("title_source", String(8), nullable=False),
    Column("model_id", String(128), nullable=True),
    _time("pinned_at", nullable=True),
    _time("archived_at", nullable=True),
    _time("deleted_at", nullable=True),
    Column("leaf_id", String(36), nullable=True),
    Column("context_from_id", String(36), nullable=True),
    _time("created_at"),
    _time("updated_at"),
)
Index("conversation_by_person", conversation.c.person_id, conversation.c.updated_at)

message = Table(
    "message",
    metadata,
    _id(),
    _reference("conversation_id", "conversation.id"),
    _reference("parent_id", "message.id", nullable=True),
    Column("role", String(16), nullable=False),
    Column("content", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("model_id", String(128), nullable=True),
    Column("error", JSON(none_as_null=True), nullable=True),
    Column("usage", JSON(none_as_null=True), nullable=True),
    Column("rating", String(8), nullable=True),
    Column("sequence", Integer, nullable=False),
    Column("client_id", String(64), nullable=True),
    _time("created_at"),
    _time("updated_at"),
    UniqueConstraint("conversation_id", "client_id", name="message_sent_once"),
)
Index("message_by_conversation", message.c.conversation_id, message.c.id)
Index("message_by_parent", message.c.parent_id)
Index(
    "message_streaming",
    message.c.status,
    sqlite_where=text("status = 'streaming'"),
)

summary = Table(
    "summary",
    metadata,
    Column("until_id", String(36), ForeignKey("message.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "conversation_id",
        String(36),
        ForeignKey("conversation.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("from_id", String(36), nullable=False),
    Column("message_count", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("model_id", String(128), nullable=False),
    _time("created_at"),
)
"""They go with their messages, also where a version deletes that does not know of them."""
Index("summary_by_conversation", summary.c.conversation_id)

searchable = Table(
    "searchable",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", String(36), nullable=False, unique=True),
    Column("conversation_id", String(36), nullable=False),
)
"""Row numbers of the full-text index: a message by its id, a title by its conversation's."""
Index("searchable_by_conversation", searchable.c.conversation_id)

update_state = Table(
    "update_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("offer", JSON(none_as_null=True), nullable=True),
    Column("origin", String(16), nullable=True),
    Column("history_id", String(36), nullable=True),
    Column("from_slot", String(32), nullable=True),
    Column("boot_id", String(36), nullable=True),
    Column("activations", Integer, nullable=True),
    Column("tries", Integer, nullable=False),
    _time("not_before", nullable=True),
    Column("reason", String(64), nullable=True),
    Column("detail", Text, nullable=True),
    _time("checked_at", nullable=True),
    _time("trusted_at", nullable=True),
    Column("channel", String(16), nullable=True),
    Column("pinned_version", String(64), nullable=True),
    _time("postponed_until", nullable=True),
    _time("changed_at"),
)
"""Where the update under way is, one row; written before each act and read after a restart."""

remote_model = Table(
    "remote_model",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("title", String(64), nullable=False),
    Column("base_url", String(512), nullable=False),
    Column("model", String(128), nullable=False),
    Column("sealed_key", Text, nullable=True),
    Column("allow_private", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    _time("created_at"),
)
"""Models elsewhere; what opens the keys is not in the database."""

update_history = Table(
    "update_history",
    metadata,
    _id(),
    Column("version", String(64), nullable=False),
    Column("from_version", String(64), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("notes", JSON(none_as_null=True), nullable=True),
    _time("began_at"),
    _time("ended_at", nullable=True),
    Column("result", String(16), nullable=True),
    Column("reason", String(64), nullable=True),
    Column("detail", Text, nullable=True),
)


@event.listens_for(metadata, "before_create")
def _limit_on_postgresql(_: MetaData, connection: Connection, **__: object) -> None:
    """Limit the same indexes there: naming its dialect above would load it on every box."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.tables.values():
        for index in table.indexes:
            where = index.dialect_options["sqlite"]["where"]
            if where is not None:
                index.dialect_kwargs["postgresql_where"] = where
