"""The runtime's part in the next update's proof: what works is recorded while it works."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import structlog

from .baseline import BaselineFile
from .observation import LONGEST_SECONDS, observe
from .surroundings import Surroundings

log = structlog.get_logger()

FIRST_SECONDS: Final = 120.0
"""After the start: models are loaded by then, and who restarts soon is recorded all the same."""

EVERY_SECONDS: Final = 6 * 3600.0
BUSY_SECONDS: Final = 60.0
"""How long to wait for people who are being answered; the canary would take their time."""


class BaselineKeeper:
    """Records now and then, and when asked; only a version that proved itself is a measure."""

    def __init__(
        self,
        surroundings: Surroundings,
        file: BaselineFile,
        version: str,
        *,
        is_busy: Callable[[], bool],
        first_seconds: float = FIRST_SECONDS,
        every_seconds: float = EVERY_SECONDS,
        busy_seconds: float = BUSY_SECONDS,
        longest_seconds: float = LONGEST_SECONDS,
    ) -> None:
        self._surroundings = surroundings
        self._file = file
        self._version = version
        self._is_busy = is_busy
        self._first_seconds = first_seconds
        self._every_seconds = every_seconds
        self._busy_seconds = busy_seconds
        self._longest_seconds = longest_seconds
        self._turn = asyncio.Lock()
        self._recording: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to record in the background."""
        self._recording = asyncio.create_task(self._record_again_and_again())

    async def stop(self) -> None:
        """Record no more."""
        if self._recording is not None:
            self._recording.cancel()
            await asyncio.gather(self._recording, return_exceptions=True)

    async def record(self, attempt: str | None = None, *, with_speed: bool = True) -> bool:
        """Record what works now, for the `attempt` that follows; tell whether it is kept.

        Without a record the next version is held to the one before. `with_speed` False is for an
        owner who goes back: the version before may be as slow as it always was.
        """
        async with self._turn:
            before = await asyncio.to_thread(self._file.read)
            if before.version != self._version:
                return False  # the gate has not spoken yet
            try:
                async with asyncio.timeout(self._longest_seconds):
                    seen = await observe(
                        self._surroundings,
                        self._version,
                        before,
                        with_canary=with_speed and not self._is_busy(),
                    )
                canaries = seen.canaries if with_speed else ()
                record = replace(seen, attempt=attempt, canaries=canaries)
                await asyncio.to_thread(self._file.write, record)
            except (OSError, TimeoutError) as error:
                log.warning("baseline_not_kept", reason=repr(error))
                return False
        log.info(
            "baseline_kept",
            addresses=len(seen.addresses),
            model=seen.model_id,
            tokens_per_second=seen.tokens_per_second,
        )
        return True

    async def _record_again_and_again(self) -> None:
        await asyncio.sleep(self._first_seconds)
        while True:
            while self._is_busy():  # noqa: ASYNC110 - the engine tells nobody when it is idle
                await asyncio.sleep(self._busy_seconds)
            try:
                await self.record()
            except Exception:  # the boundary of a task that must go on
                log.exception("baseline_not_kept_unexpectedly")
            await asyncio.sleep(self._every_seconds)
