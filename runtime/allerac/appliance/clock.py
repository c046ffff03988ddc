"""Notices when the time of day is set: a box without a battery begins in the wrong year."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from allerac.errors import AlleracError

log = structlog.get_logger()

LOOK_SECONDS: Final = 1.0
STEP_SECONDS: Final = 60.0
"""Less than this harms nothing that lasts; a clock that is steered moves far less in a look."""


def since_boot() -> float:
    """Return seconds that nobody sets and that go on in sleep (clock_gettime(2))."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ClockWatch:
    """Compares the time of day with the time since boot and tells `on_set` of a step.

    `on_set` gets the time of day as it would be had nobody touched it, and the step.
    """

    def __init__(
        self,
        on_set: Callable[[datetime, timedelta], Awaitable[None]],
        *,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = since_boot,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._on_set = on_set
        self._wall = wall
        self._steady = steady
        self._look_seconds = look_seconds
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._run(self._wall() - self._steady()))

    async def stop(self) -> None:
        """Watch no longer."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, booted_at: float) -> None:
        while True:
            await asyncio.sleep(self._look_seconds)
            steady = self._steady()
            moved = self._wall() - steady
            if abs(moved - booted_at) >= STEP_SECONDS:
                await self._tell(datetime.fromtimestamp(booted_at + steady, UTC), moved - booted_at)
            booted_at = moved

    async def _tell(self, untouched: datetime, step_seconds: float) -> None:
        log.warning("clock_was_set", seconds=round(step_seconds))
        try:
            await self._on_set(untouched, timedelta(seconds=step_seconds))
        except AlleracError as error:
            log.warning("clock_not_followed", reason=error.message)
