"""The clocks: whether the time of day comes from the network, and those that nobody sets."""

import time
from collections.abc import Callable
from typing import Final

from .sysfs import Sysfs

FOLDER: Final = "run/systemd/timesync"
"""systemd-timesyncd.service(8)."""

UPTIME: Final = "proc/uptime"
BOOT: Final = "proc/sys/kernel/random/boot_id"
"""random(4): another at each boot."""


def read_clock_synchronised(sysfs: Sysfs) -> bool | None:
    """Tell whether the clock was set since boot; None where timesyncd does not run."""
    if not sysfs.exists(FOLDER):
        return None
    return sysfs.exists(f"{FOLDER}/synchronized")


def read_boot(sysfs: Sysfs) -> str | None:
    """Return the kernel's name of this boot."""
    return sysfs.text(BOOT) or None


def steady_clock(sysfs: Sysfs) -> Callable[[], float]:
    """Return a clock of seconds that nobody sets.

    A recorded machine that has an uptime, proc_uptime(5), keeps its own time, which passes as fast
    as somebody writes it; any other lives in this machine's.
    """
    if sysfs.is_machine or not sysfs.exists(UPTIME):
        return time.monotonic
    return _RecordedClock(sysfs)


class _RecordedClock:
    """Reads the recording; a file that cannot be read is a moment in which no time passed."""

    def __init__(self, sysfs: Sysfs) -> None:
        self._sysfs = sysfs
        self._last = 0.0

    def __call__(self) -> float:
        seconds, _, _ = (self._sysfs.text(UPTIME) or "").partition(" ")
        try:
            self._last = max(self._last, float(seconds))
        except ValueError:
            return self._last
        return self._last
