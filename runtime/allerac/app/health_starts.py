"""What is remembered of the runtime's starts since the machine was switched on.

A restart forgets neither that there were many, nor that the time of day was set meanwhile.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import structlog

from allerac.appliance.clock import STEP_SECONDS, since_boot
from allerac.errors import StorageUnavailable
from allerac.storage.device_history import STARTS_SECONDS, DeviceHistory, StoredStart

log = structlog.get_logger()


class Starts:
    """The starts in one boot; `boot` is its name, without which nothing is remembered.

    `clock_moved` is how far the time of day was set between the first of them and this one.
    """

    def __init__(
        self,
        diary: DeviceHistory,
        boot: str | None,
        *,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = since_boot,
    ) -> None:
        self.clock_moved = timedelta()
        self._diary = diary
        self._boot = boot
        self._wall = wall
        self._steady = steady
        self._again: list[float] = []

    async def recall(self) -> None:
        """Note this start, and what was before it."""
        if self._boot is None:
            return
        this = StoredStart(self._boot, self._steady(), self._wall())
        try:
            first, *again = await asyncio.to_thread(self._diary.note_start, this)
        except StorageUnavailable as error:
            log.warning("start_not_noted", reason=error.message)
            return
        self._again = [start.steady for start in again]
        moved = (this.wall - this.steady) - (first.wall - first.steady)
        if abs(moved) >= STEP_SECONDS:
            self.clock_moved = timedelta(seconds=moved)

    def in_the_last_hour(self) -> int:
        """Return how often the runtime was started anew."""
        since = self._steady() - STARTS_SECONDS
        return len([steady for steady in self._again if steady >= since])
