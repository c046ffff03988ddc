"""The first tables, and the full-text index over conversations."""

from sqlalchemy import Connection

from allerac.storage.search import create_index
from allerac.storage.tables import metadata


def upgrade(connection: Connection) -> None:
    """Create everything."""
    metadata.create_all(connection)
    create_index(connection)
