"""Pictures that were sent with messages."""

from sqlalchemy import Connection

from allerac.storage.picture_table import picture


def upgrade(connection: Connection) -> None:
    """Add the table; a database that begins today may have it from the first step."""
    picture.create(connection, checkfirst=True)
