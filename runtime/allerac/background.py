"""Work that goes on beside the answers to people."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine


class BackgroundTask:
    """Runs `work`, which goes on by itself, from `start` to `stop`; `wake` ends its waiting."""

    def __init__(self, work: Callable[[], Coroutine[None, None, None]], *, name: str) -> None:
        self._work = work
        self._name = name
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._work(), name=self._name)

    async def stop(self) -> None:
        """Stop it where it is; nothing happens when it has not begun."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def wake(self) -> None:
        """There may be something to do. While it works this is kept for its next wait."""
        self._woken.set()

    async def wait(self, seconds: float) -> None:
        """Return when it has been woken, at the latest after `seconds`; the work itself waits."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()
