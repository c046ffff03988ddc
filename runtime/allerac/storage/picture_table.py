"""The table of pictures; times are milliseconds since 1970 in UTC."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table

from .tables import metadata

picture = Table(
    "picture",
    metadata,
    Column("id", String(36), primary_key=True),
    Column(
        "conversation_id",
        String(36),
        ForeignKey("conversation.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("client_id", String(64), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
"""`client_id` is that of the message, which is sent once its pictures have arrived."""
Index("picture_by_message", picture.c.conversation_id, picture.c.client_id)
