"""The record of the update under way: every step is on the disk before it is taken."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from allerac.storage.updates import Begun, Ended, UpdateRecord, UpdateStore

from .states import Event, next_state

log = structlog.get_logger()


class Journal:
    """Moves the state along the table of transitions and tells who is waiting.

    `version` counts changes, those of progress too.
    """

    def __init__(self, store: UpdateStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self.version = 0

    async def load(self) -> UpdateRecord:
        """Return the record; one that is being written only once its writer knows of it.

        Whoever saw it sooner would find the writer busy still with a step that is over.
        """
        async with self._turn:
            return await self._store.load()

    async def move(
        self, event: Event, *, begun: Begun | None = None, ended: Ended | None = None, **values: Any
    ) -> UpdateRecord:
        """Enter the state that `event` leads to. Raises `Conflict`, and what the storage raises."""
        async with self._turn:
            before = await self._store.load()
            state = next_state(before.state, event)
            record = await self._store.change(
                {**values, "state": state}, self._clock(), begun=begun, ended=ended
            )
        log.info("update_state", before=before.state, cause=event, state=state)
        self.tell()
        return record

    async def note(self, **values: Any) -> UpdateRecord:
        """Change what is no state."""
        async with self._turn:
            record = await self._store.change(values, self._clock())
        self.tell()
        return record

    def tell(self) -> None:
        """Wake up those who wait for a change."""
        self.version += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def changed_since(self, version: int) -> None:
        """Return when there was a change after `version`."""
        while self.version == version:
            await self._changed.wait()


def given_up(record: UpdateRecord) -> Ended | None:
    """Return how the row of an update ends that another one takes the place of."""
    return None if record.history_id is None else Ended("failed", record.reason, record.detail)
