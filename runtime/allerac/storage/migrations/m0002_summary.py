"""Summaries of the beginnings of conversations."""

from sqlalchemy import Connection

from allerac.storage.tables import summary


def upgrade(connection: Connection) -> None:
    """Add the table; a database that begins today has it from the first step."""
    summary.create(connection, checkfirst=True)
