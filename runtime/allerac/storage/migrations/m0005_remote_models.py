"""Models elsewhere, which the owner adds."""

from sqlalchemy import Connection

from allerac.storage.tables import remote_model


def upgrade(connection: Connection) -> None:
    """Add the table; a database that begins today has it from the first step."""
    remote_model.create(connection, checkfirst=True)
