"""What is kept with a time in the future, when the clock is found to have been wrong."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, update

from .conversation_rows import milliseconds
from .database import Database
from .tables import invitation, session

LASTING: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (session, ("created_at", "last_seen_at", "expires_at")),
    (invitation, ("created_at", "expires_at")),
)
"""Tables whose rows end at `expires_at`, and their times."""


async def move_expiry(database: Database, before: datetime, step: timedelta) -> int:
    """Let what was good at `before` last as long as it was meant to; return how many rows.

    Otherwise everybody who signed in on a box that believed to live in 1970 is signed out when it
    learns the year, and an invitation made in a wrong future stays open for years.
    """
    step_ms = round(step.total_seconds() * 1000)

    def work(connection: Connection) -> int:
        moved = 0
        for table, columns in LASTING:
            good = table.c.expires_at > milliseconds(before)
            values = {name: table.c[name] + step_ms for name in columns}
            moved += connection.execute(update(table).where(good).values(values)).rowcount
        return moved

    return await database.write(work)
