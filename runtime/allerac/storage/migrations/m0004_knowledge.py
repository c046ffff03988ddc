"""Documents, assistants and memories, and the index of the documents' words."""

from sqlalchemy import Connection

from allerac.storage.knowledge_tables import ADDED
from allerac.storage.passages import create_word_index


def upgrade(connection: Connection) -> None:
    """Add the tables; a database that begins today may have them from the first step."""
    for table in ADDED:
        table.create(connection, checkfirst=True)
    create_word_index(connection)
