"""Updates: the one under way, and those that were."""

from sqlalchemy import Connection

from allerac.storage.tables import update_history, update_state


def upgrade(connection: Connection) -> None:
    """Add the tables; a database that begins today has them from the first step."""
    update_state.create(connection, checkfirst=True)
    update_history.create(connection, checkfirst=True)
