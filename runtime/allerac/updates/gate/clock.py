"""Time as the gate needs it: since the machine was switched on."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Counts seconds since the boot."""

    def since_boot(self) -> float:
        """Return the seconds since the kernel started."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class BootClock:
    """The kernel's own count, which nobody sets (clock_gettime(2))."""

    def since_boot(self) -> float:
        """Read it."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
