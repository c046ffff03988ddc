"""Whom the owner lets in by SSH, and when it was open."""

from sqlalchemy import Connection

from allerac.storage.ssh_tables import ssh_event, ssh_key


def upgrade(connection: Connection) -> None:
    """Add the tables; a database that begins today may have them from the first step."""
    for table in (ssh_key, ssh_event):
        table.create(connection, checkfirst=True)
