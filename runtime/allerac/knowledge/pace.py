"""How fast documents are taken in: fully when alone, slowly beside people, never while held."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

REST_PER_WORK: Final = 4.0
"""Beside a chat a fifth of the time is worked; the chat keeps most of the memory's bandwidth."""
LONGEST_REST_SECONDS: Final = 10.0


class ConsideratePace:
    """Rests while `is_busy`, and waits for as long as somebody holds it.

    `make_room` is told True before and False after each bit of work that is done while `is_busy`.
    """

    def __init__(
        self,
        *,
        is_busy: Callable[[], bool],
        make_room: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._is_busy = is_busy
        self._make_room = make_room
        self._held_for: set[str] = set()
        self._is_free = asyncio.Event()
        self._is_free.set()

    async def rest(self, worked_seconds: float) -> None:
        """See `allerac.knowledge.ingest.Pace.rest`."""
        await self._is_free.wait()
        if self._is_busy():
            await asyncio.sleep(min(worked_seconds * REST_PER_WORK, LONGEST_REST_SECONDS))

    @contextmanager
    def work(self) -> Iterator[None]:
        """See `allerac.knowledge.ingest.Pace.work`."""
        if not self._is_busy():
            yield
            return
        self._make_room(True)
        try:
            yield
        finally:
            self._make_room(False)

    def held_for(self) -> frozenset[str]:
        """See `allerac.knowledge.ingest.Pace.held_for`."""
        return frozenset(self._held_for)

    def hold(self, reason: str) -> None:
        """Begin no more work until each reason that was given is taken back."""
        self._held_for.add(reason)
        self._is_free.clear()

    def release(self, reason: str) -> None:
        """Take a reason back."""
        self._held_for.discard(reason)
        if not self._held_for:
            self._is_free.set()
