"""How fast a download goes and how long it still takes."""

import math
import time
from collections.abc import Callable

SMOOTHING_SECONDS = 5.0


class Meter:
    """An exponentially smoothed speed of a growing count of bytes."""

    def __init__(self, received_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at = self._started = clock()
        self._received = received_bytes
        self._speed = 0.0

    def update(self, received_bytes: int) -> None:
        """Take in a new count; one that shrank means that the transfer began again."""
        now = self._clock()
        elapsed = now - self._at
        if elapsed <= 0:
            return
        gained = max(0, received_bytes - self._received)
        self._speed += self._weight(now, elapsed) * (gained / elapsed - self._speed)
        self._at, self._received = now, received_bytes

    def bytes_per_second(self) -> float:
        """Return the smoothed speed, falling while nothing arrives."""
        return self._speed * math.exp(-max(0.0, self._clock() - self._at - 1) / SMOOTHING_SECONDS)

    def seconds_left(self, remaining_bytes: int) -> float | None:
        """Return the time still needed at this speed; None before there is one."""
        speed = self.bytes_per_second()
        return remaining_bytes / speed if speed >= 1 else None

    def _weight(self, now: float, elapsed: float) -> float:
        """In the first seconds this is a plain average, so that it does not start from zero."""
        window = min(SMOOTHING_SECONDS, now - self._started)
        return min(1.0, max(elapsed / window, 1 - math.exp(-elapsed / SMOOTHING_SECONDS)))
