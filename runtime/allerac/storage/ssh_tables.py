"""The tables of SSH; times are milliseconds since 1970 in UTC."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from .tables import metadata

ssh_key = Table(
    "ssh_key",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("line", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("comment", String(128), nullable=False),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("added_by", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
"""Whom the owner may let in: `line` is the public key as in a file of authorized keys."""

ssh_event = Table(
    "ssh_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("act", String(32), nullable=False),
    Column("person_name", String(64), nullable=True),
    Column("address", String(64), nullable=True),
    Column("agent", String(256), nullable=True),
    Column("detail", String(128), nullable=True),
    Column("happened_at", BigInteger, nullable=False),
)
"""What was done, by whom and from where; rows are only added, and numbered in that order
whatever the clock says. A name stays when its person goes."""
