"""How far a batch is: a line for each unit and one for all, with a rate and the time left."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import TextIO

from .station import Unit

MB = 1_000_000
QUIET_SECONDS = 10.0
"""Between two reports where nobody watches: a log is not to be filled."""

BAR = 20


def lines(units: Sequence[Unit], seconds: float) -> list[str]:
    """Return the report after `seconds` of work."""
    report = [_line(unit, seconds) for unit in units]
    going = [unit for unit in units if unit.failure is None]
    done = sum(unit.progress.done_bytes for unit in going)
    total = sum(unit.progress.total_bytes for unit in going)
    rate = done / seconds if seconds > 0 else 0.0
    ready = sum(unit.is_done and unit.failure is None for unit in units)
    failed = sum(unit.failure is not None for unit in units)
    report.append(
        f"{ready} ready, {failed} failed, {len(units) - ready - failed} under way; "
        f"{rate / MB:.0f} MB/s{_left(total - done, rate)}"
    )
    return report


def duration(seconds: float) -> str:
    """Return a time as people say it."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


class Reporter:
    """Writes the report to `out`: in place on a terminal, now and then elsewhere."""

    def __init__(
        self, out: TextIO = sys.stdout, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out
        self._clock = clock
        self._began = clock()
        self._last = self._began
        self._height = 0

    def __call__(self, units: Sequence[Unit]) -> None:
        now = self._clock()
        self._show(lines(units, now - self._began), now, all(unit.is_done for unit in units))

    def unpacking(self, share: float) -> None:
        """Say how far the unpacking is; the units' time begins when it is over."""
        self._began = self._clock()
        is_over = share >= 1
        told = f"Unpacking the image, once for all its batches: {share:.0%}"
        self._show([told], self._began, is_over)
        if is_over:
            self._height = 0  # the line stays

    def _show(self, report: Sequence[str], now: float, is_over: bool) -> None:
        watched = self._out.isatty()
        if not watched and not is_over and now - self._last < QUIET_SECONDS:
            return
        self._last = now
        if watched and self._height:
            self._out.write(f"\x1b[{self._height}A\x1b[J")
        self._out.write("\n".join(report) + "\n")
        self._out.flush()
        self._height = len(report)


def _left(size_bytes: int, rate: float) -> str:
    return f", {duration(size_bytes / rate)} left" if rate and size_bytes > 0 else ""


def _line(unit: Unit, seconds: float) -> str:
    progress = unit.progress
    share = progress.done_bytes / progress.total_bytes
    bar = "█" * round(share * BAR)
    rate = progress.done_bytes / seconds if seconds > 0 else 0.0
    left = _left(progress.total_bytes - progress.done_bytes, rate)
    told = str(unit.failure) if unit.failure else f"{progress.doing}{left}"
    return f"{unit.serial:20} {bar:·<{BAR}} {share:4.0%} {rate / MB:5.0f} MB/s  {told}"
