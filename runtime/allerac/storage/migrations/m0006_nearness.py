"""What finds near passages fast; the passages that are there follow while the box is idle."""

from sqlalchemy import Connection

from allerac.storage.knowledge_tables import NEAR
from allerac.storage.passage_near import create_triggers


def upgrade(connection: Connection) -> None:
    """Add the tables; a database that begins today has them from the first step."""
    for table in NEAR:
        table.create(connection, checkfirst=True)
    create_triggers(connection)
