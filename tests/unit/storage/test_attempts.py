"""What was counted is forgotten when its time is over, and not before."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from allerac.storage import Database
from allerac.storage.attempts import SWEPT_AT_ONCE, AttemptStore
from allerac.storage.tables import attempt

START = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
LIMIT, WINDOW_SECONDS = 2, 60


class Counted:
    """A store whose clock a test sets."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.store = AttemptStore(database)
        self.now = START

    async def take(self, bucket: str, *, window_seconds: int = WINDOW_SECONDS) -> int:
        """Count one more attempt now."""
        return await self.store.take(
            bucket, limit=LIMIT, window_seconds=window_seconds, now=self.now
        )

    async def fill(self, kind: str, buckets: int) -> None:
        """Count one attempt in each of many buckets."""
        for number in range(buckets):
            await self.take(f"{kind}:{number}")

    def turn(self, seconds: float) -> None:
        """Move the clock."""
        self.now += timedelta(seconds=seconds)

    async def rows(self) -> int:
        """Return how many buckets the table has."""
        query = select(func.count()).select_from(attempt)
        return await self._database.read(lambda connection: connection.execute(query).scalar_one())


@pytest.fixture
async def counted(tmp_path: Path) -> AsyncIterator[Counted]:
    database = Database(tmp_path / "allerac.sqlite")
    await database.open()
    yield Counted(database)
    await database.close()


async def test_table_does_not_outgrow_one_window_of_attempts(counted: Counted) -> None:
    for round_number in range(5):
        for number in range(20):
            await counted.take(f"claim:{round_number}.{number}")
        counted.turn(WINDOW_SECONDS)
    assert await counted.rows() <= 20


async def test_a_new_bucket_takes_only_a_few_old_ones_along(counted: Counted) -> None:
    await counted.fill("claim", SWEPT_AT_ONCE + 5)
    counted.turn(WINDOW_SECONDS)
    await counted.take("claim:new")
    assert await counted.rows() == 5 + 1


async def test_what_still_counts_is_kept(counted: Counted) -> None:
    assert [await counted.take("claim:guesser") for _ in range(LIMIT)] == [0, 0]
    counted.turn(WINDOW_SECONDS - 0.001)
    await counted.fill("claim", SWEPT_AT_ONCE * 2)
    assert await counted.take("claim:guesser") == 1


@pytest.mark.parametrize("kind", ["claim-in-all", "account:ana", "claims:x", "c%:x"])
async def test_other_kinds_are_left_to_their_own_windows(counted: Counted, kind: str) -> None:
    year = 365 * 86400
    assert [await counted.take(kind, window_seconds=year) for _ in range(LIMIT)] == [0, 0]
    counted.turn(3600)
    await counted.fill("claim", SWEPT_AT_ONCE)
    await counted.fill("c_", SWEPT_AT_ONCE)
    assert await counted.take(kind, window_seconds=year) > 0


async def test_a_bucket_without_a_kind_takes_nothing_along(counted: Counted) -> None:
    await counted.fill("claim", 3)
    counted.turn(WINDOW_SECONDS)
    await counted.take("claim-in-all")
    assert await counted.rows() == 3 + 1


async def test_what_a_clock_ahead_of_time_left_behind_goes_too(counted: Counted) -> None:
    counted.turn(86400)
    await counted.fill("claim", 3)
    counted.turn(-86400)
    await counted.take("claim:new")
    assert await counted.rows() == 1
