"""How fast documents are taken in: fully when alone, slowly beside people, not at all when hot."""

import asyncio
from collections.abc import Callable
from typing import Final

REST_PER_WORK: Final = 4.0
"""Beside a chat a fifth of the time is worked; the chat keeps most of the memory's bandwidth."""
CHECK_SECONDS: Final = 1.0
LONGEST_REST_SECONDS: Final = 10.0


class ConsideratePace:
    """Rests while `is_busy`, and waits for as long as `is_hot`."""

    def __init__(self, *, is_busy: Callable[[], bool], is_hot: Callable[[], bool]) -> None:
        self._is_busy = is_busy
        self._is_hot = is_hot

    async def rest(self, worked_seconds: float) -> None:
        """See `allerac.knowledge.ingest.Pace.rest`."""
        while self._is_hot():  # noqa: ASYNC110 - a temperature has no event to wait on
            await asyncio.sleep(CHECK_SECONDS)
        if self._is_busy():
            await asyncio.sleep(min(worked_seconds * REST_PER_WORK, LONGEST_REST_SECONDS))
