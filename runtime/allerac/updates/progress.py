"""How far an installation is, from RAUC's percentages."""

import time
from collections.abc import Callable
from dataclasses import dataclass

SETTLED_PERCENT = 3
"""Before this much a rate says nothing."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`done_bytes` of the bundle are dealt with; what is on board already is not fetched."""

    percent: int
    done_bytes: int
    total_bytes: int
    seconds_left: float | None


class Meter:
    """Turns percentages into bytes and seconds."""

    def __init__(self, total_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total_bytes = total_bytes
        self._clock = clock
        self._percent = 0
        self._first: tuple[float, int] | None = None
        self._last = clock()

    def update(self, percent: int) -> None:
        """Take in what the installer says; it never goes back."""
        percent = max(self._percent, min(percent, 100))
        if percent == self._percent and self._first is not None:
            return
        self._percent, self._last = percent, self._clock()
        self._first = self._first or (self._last, percent)

    def progress(self) -> Progress:
        """Return where it is now."""
        return Progress(
            percent=self._percent,
            done_bytes=self._total_bytes * self._percent // 100,
            total_bytes=self._total_bytes,
            seconds_left=self._seconds_left(),
        )

    def _seconds_left(self) -> float | None:
        if self._first is None or self._percent - self._first[1] < SETTLED_PERCENT:
            return None
        began_at, began_percent = self._first
        pace = (self._last - began_at) / (self._percent - began_percent)
        waited = self._clock() - self._last
        return max(0.0, pace * (100 - self._percent) - waited)


class Moved:
    """Remembers since when something has been the same."""

    def __init__(self, still_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._still_seconds = still_seconds
        self._clock = clock
        self._seen: object = None
        self._since = clock()

    def lately(self, seen: object) -> bool:
        """Tell whether `seen` is new, or has not been the same for too long."""
        now = self._clock()
        if seen != self._seen:
            self._seen, self._since = seen, now
        return now - self._since <= self._still_seconds
