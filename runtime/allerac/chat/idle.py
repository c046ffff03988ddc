"""The model while nobody waits for it: titles and summaries are asked for here, one at a time."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from allerac.engine.protocol import Delta, Engine, Finished, GenerationRequest
from allerac.errors import AlleracError

log = structlog.get_logger()

CHECK_SECONDS = 0.5
PATIENCE_SECONDS = 300.0
"""Whoever asks has something to do instead when the box is busy for longer."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the model answered; `is_whole` is false when it was cut at its last token."""

    text: str
    is_whole: bool


class IdleWork:
    """Runs jobs in the background that ask the model only while it has nothing else to do."""

    def __init__(
        self,
        engine: Engine,
        *,
        check_seconds: float = CHECK_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._engine = engine
        self._check_seconds = check_seconds
        self._patience_seconds = patience_seconds
        self._jobs: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        self._asking: asyncio.Task[Said] | None = None

    def begin(self, name: str, job: Callable[[], Awaitable[None]]) -> None:
        """Start `job` in place of an earlier one of that name."""
        self.drop(name)
        task = asyncio.create_task(_run(name, job), name=name)
        self._jobs[name] = task
        task.add_done_callback(lambda done: self._forget(name, done))

    def drop(self, name: str) -> None:
        """Give up the job of that name."""
        if (task := self._jobs.pop(name, None)) is not None:
            task.cancel()

    def give_way(self) -> None:
        """Free the engine for somebody who waits; what was being asked is asked again later."""
        if self._asking is not None:
            self._asking.cancel()

    async def stop(self) -> None:
        """Give up what is not done."""
        tasks = [*self._jobs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ask(self, request: GenerationRequest) -> Said | None:
        """Return the answer to `request`; None when the engine had no time or failed."""
        try:
            async with asyncio.timeout(self._patience_seconds), self._turn:
                return await self._ask(request)
        except TimeoutError:
            log.info("idle_work_without_time", request=request.request_id)
        except AlleracError as error:
            log.info("idle_work_refused", request=request.request_id, reason=error.code)
        return None

    async def _ask(self, request: GenerationRequest) -> Said:
        while True:
            await self._wait_until_idle()
            self._asking = asking = asyncio.create_task(self._listen(request))
            try:
                await asyncio.wait({asking})
            finally:
                self._asking = None
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
            if not asking.cancelled():
                return asking.result()
            await asyncio.sleep(self._check_seconds)  # until whoever came is seen by the engine

    async def _listen(self, request: GenerationRequest) -> Said:
        text, is_whole = "", False
        async with contextlib.aclosing(self._engine.generate(request)) as events:
            async for event in events:
                if isinstance(event, Delta):
                    text += event.text
                elif isinstance(event, Finished):
                    is_whole = event.reason == "stop"
        return Said(text, is_whole)

    async def _wait_until_idle(self) -> None:
        while True:
            status = self._engine.status()
            if status.state == "ready" and status.active == status.waiting == 0:
                return
            await asyncio.sleep(self._check_seconds)

    def _forget(self, name: str, task: asyncio.Task[None]) -> None:
        if self._jobs.get(name) is task:
            del self._jobs[name]


def is_refusal(text: str) -> bool:
    """Tell whether the model said, as its instructions want, that it does not know."""
    return text.strip().lower().startswith("i do not know")


async def _run(name: str, job: Callable[[], Awaitable[None]]) -> None:
    try:
        await job()
    except AlleracError as error:
        log.info("idle_work_not_kept", job=name, reason=error.code)
    except Exception:  # the boundary of a background task
        log.exception("idle_work_failed", job=name)
