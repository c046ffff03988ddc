"""A clock that is set is noticed, one that goes or is steered is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from allerac.appliance.clock import ClockWatch
from allerac.errors import StorageUnavailable

SECONDS = 10
NOW = datetime(2026, 11, 21, tzinfo=UTC).timestamp()


class Clocks:
    """A machine that booted in 1970; `heard` has what the watch told."""

    def __init__(self) -> None:
        self.wall = 100.0
        self.steady = 100.0
        self.looks = 0
        self.heard: list[tuple[datetime, timedelta]] = []
        self.told = asyncio.Event()
        self.error: Exception | None = None

    def since_boot(self) -> float:
        self.looks += 1
        return self.steady

    def go(self, seconds: float, wall_seconds: float | None = None) -> None:
        self.steady += seconds
        self.wall += seconds if wall_seconds is None else wall_seconds

    async def hear(self, before: datetime, step: timedelta) -> None:
        self.heard.append((before, step))
        self.told.set()
        if self.error is not None:
            raise self.error

    async def look(self) -> None:
        """Return when the watch has looked at what is now."""
        wanted = self.looks + 2
        async with asyncio.timeout(SECONDS):
            while self.looks < wanted:  # noqa: ASYNC110 - the watch has no event for nothing
                await asyncio.sleep(0.001)


@asynccontextmanager
async def watched() -> AsyncIterator[Clocks]:
    clocks = Clocks()
    watch = ClockWatch(
        clocks.hear, wall=lambda: clocks.wall, steady=clocks.since_boot, look_seconds=0.001
    )
    await watch.start()
    try:
        yield clocks
    finally:
        await watch.stop()


async def test_year_that_is_learnt_is_told_with_the_time_before() -> None:
    async with watched() as clocks:
        clocks.go(5)
        await clocks.look()
        clocks.wall = NOW
        async with asyncio.timeout(SECONDS):
            await clocks.told.wait()
        await clocks.look()
    ((before, step),) = clocks.heard
    assert before == datetime.fromtimestamp(105, UTC)
    assert (before + step).timestamp() == pytest.approx(NOW)


async def test_clock_that_is_set_back_is_told() -> None:
    async with watched() as clocks:
        clocks.wall -= 90
        async with asyncio.timeout(SECONDS):
            await clocks.told.wait()
    assert clocks.heard[0][1].total_seconds() == pytest.approx(-90)


@pytest.mark.parametrize(
    ("seconds", "wall_seconds"),
    [(1.0, 1.0), (86_400.0, 86_400.0), (1.0, 1.5), (1.0, 50.0), (1.0, -50.0)],
    ids=["goes", "slept a day", "steered", "a little fast", "a little slow"],
)
async def test_clock_that_goes_says_nothing(seconds: float, wall_seconds: float) -> None:
    async with watched() as clocks:
        for _ in range(3):
            clocks.go(seconds, wall_seconds)
            await clocks.look()
    assert clocks.heard == []


async def test_database_that_cannot_follow_does_not_end_the_watch() -> None:
    async with watched() as clocks:
        clocks.error = StorageUnavailable("The disk is full.")
        clocks.wall += 1000
        async with asyncio.timeout(SECONDS):
            await clocks.told.wait()
        clocks.told.clear()
        clocks.wall += 1000
        async with asyncio.timeout(SECONDS):
            await clocks.told.wait()
    assert len(clocks.heard) == 2
