"""What messages mean; they are read while the box is idle."""

from sqlalchemy import Connection

from allerac.storage.message_vectors import create_message_vectors


def upgrade(connection: Connection) -> None:
    """Add the table."""
    create_message_vectors(connection)
