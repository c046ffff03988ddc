"""Counted guesses, kept on disk so that a restart does not forgive them."""

from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from .conversation_rows import milliseconds
from .database import Database
from .tables import attempt

SWEPT_AT_ONCE = 8
"""More than one, so that what a flood left behind goes; few, so that nobody waits for it."""


class AttemptStore:
    """Counts per bucket within a window of time that starts with the first.

    A bucket is `kind:whose`, and all of a kind have the same window; a new one takes a few along
    that are over, so that the table stays as large as one window fills it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, bucket: str, *, limit: int, window_seconds: int, now: datetime) -> int:
        """Count one more attempt; return 0, or the seconds to wait when `limit` is used up.

        A clock that was set back starts the window anew rather than extending it for years.
        """
        moment, window = milliseconds(now), window_seconds * 1000

        def work(connection: Connection) -> int:
            where = attempt.c.bucket == bucket
            row = connection.execute(select(attempt).where(where)).mappings().first()
            if row is None:
                _sweep(connection, bucket, moment, window)
                values = {"bucket": bucket, "window_start": moment, "count": 1}
                connection.execute(insert(attempt).values(**values))
                return 0
            age = moment - int(row["window_start"])
            if not 0 <= age < window:
                fresh = {"window_start": moment, "count": 1}
                connection.execute(update(attempt).where(where).values(**fresh))
                return 0
            if row["count"] >= limit:
                return max(1, (window - age + 999) // 1000)
            connection.execute(update(attempt).where(where).values(count=row["count"] + 1))
            return 0

        return await self._database.write(work)

    async def count(self, bucket: str) -> int:
        """Return how many attempts the bucket holds."""

        def work(connection: Connection) -> int:
            query = select(attempt.c.count).where(attempt.c.bucket == bucket)
            return int(connection.scalar(query) or 0)

        return await self._database.read(work)

    async def total(self, kind: str, *, since: datetime) -> int:
        """Return the attempts in all buckets of a kind whose window began after `since`."""

        def work(connection: Connection) -> int:
            same_kind = attempt.c.bucket.startswith(f"{kind}:", autoescape=True)
            fresh = attempt.c.window_start > milliseconds(since)
            query = select(func.sum(attempt.c.count)).where(same_kind, fresh)
            return int(connection.scalar(query) or 0)

        return await self._database.read(work)

    async def clear(self, bucket: str) -> None:
        """Forget the attempts of a bucket."""
        query = delete(attempt).where(attempt.c.bucket == bucket)
        await self._database.write(lambda connection: connection.execute(query).rowcount)


def _sweep(connection: Connection, bucket: str, moment: int, window: int) -> None:
    """Delete a few buckets of the same kind whose window is over."""
    kind, colon, _ = bucket.partition(":")
    if not colon:
        return
    is_over = or_(attempt.c.window_start <= moment - window, attempt.c.window_start > moment)
    same_kind = attempt.c.bucket.startswith(f"{kind}:", autoescape=True)
    over = select(attempt.c.bucket).where(same_kind, is_over).limit(SWEPT_AT_ONCE)
    connection.execute(delete(attempt).where(attempt.c.bucket.in_(over)))
