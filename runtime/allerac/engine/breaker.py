"""Stops asking who does not answer: after some failures in a row, nobody waits for a while."""

import time
from collections.abc import Callable
from typing import Final

from allerac.errors import EngineUnavailable

FAILURES: Final = 3
OPEN_SECONDS: Final = 30.0


class CircuitBreaker:
    """Open after `failures` in a row; then one request may try every `open_seconds`."""

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        open_seconds: float = OPEN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._open_seconds = open_seconds
        self._clock = clock
        self._failures = 0
        self._next_try_at = 0.0

    @property
    def is_open(self) -> bool:
        return self._failures >= self._limit and self._clock() < self._next_try_at

    def enter(self) -> None:
        """Begin a request. Raises `EngineUnavailable` while it is open."""
        if self.is_open:
            raise EngineUnavailable(
                "The remote engine has not answered several times.",
                hint="It is asked again in half a minute. Until then, choose a model on this box.",
            )
        self._next_try_at = self._clock() + self._open_seconds

    def succeed(self) -> None:
        """It has answered."""
        self._failures = 0

    def fail(self) -> None:
        """It has not."""
        self._failures += 1
        self._next_try_at = self._clock() + self._open_seconds
