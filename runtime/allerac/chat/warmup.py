"""The beginnings of conversations, read while nobody asks: the first question finds them read.

What is read goes to the engine's store on disk like any other prompt, so after a restart it comes
back from there instead of being read anew.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from allerac.engine.protocol import Engine, GenerationRequest, PromptMessage, Sampling
from allerac.errors import AlleracError, ContextTooLong
from allerac.storage.ids import new_id

from .context import Context
from .history import History
from .idle import IdleWork
from .library import Library

Messages = tuple[PromptMessage, ...]

log = structlog.get_logger()

CHECK_SECONDS = 1.0
QUIET_SECONDS = 10.0
"""Whoever has just read an answer may well ask again."""
STORE_SHARE = 1 / 4
"""Of the store on disk; the rest is for what people have said."""


class Warmup:
    """Reads what is new for each model; `may_run` says no while the box is hot or its disk full."""

    def __init__(
        self,
        *,
        engine: Engine,
        idle: IdleWork,
        context: Context,
        library: Library,
        may_run: Callable[[], bool] = lambda: True,
        quiet_seconds: float = QUIET_SECONDS,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self._engine = engine
        self._idle = idle
        self._context = context
        self._library = library
        self._may_run = may_run
        self._quiet_seconds = quiet_seconds
        self._check_seconds = check_seconds
        self._read: dict[tuple[str, str, Messages], int] = {}
        self._done_for: str | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for idle time."""
        self._task = asyncio.create_task(self._watch(), name="warmup")

    async def stop(self) -> None:
        """Give up what is being read."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def renew(self) -> None:
        """Look again, when there is time, whether anything begins otherwise now."""
        self._done_for = None

    async def _watch(self) -> None:
        while True:
            await self._wait_until_due()
            try:
                await self._read_all()
            except AlleracError as error:
                log.info("warmup_put_off", reason=error.code)
            except Exception:  # the boundary of a background task
                log.exception("warmup_failed")

    async def _wait_until_due(self) -> None:
        """Return once it is quiet and there may be something to read for the model."""
        quiet_since = time.monotonic()
        while True:
            await asyncio.sleep(self._check_seconds)
            status = self._engine.status()
            busy = status.state != "ready" or status.active + status.waiting > 0
            if busy or status.model_id == self._done_for or not self._may_run():
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since >= self._quiet_seconds:
                return

    async def _read_all(self) -> None:
        """Read what is not read yet, likeliest first, until its share of the store is full."""
        status = self._engine.status()
        model_id = self._done_for = status.model_id or ""
        room, before = int(status.kept_tokens * STORE_SHARE), self._read
        self._read = {}
        for beginning in await self._library.beginnings(model_id) if room else ():
            messages = self._context.compile(History((), setting=beginning.setting))
            key = (model_id, beginning.person_id, messages)
            tokens = before.get(key) or await self._size(messages)
            room -= tokens
            if room < 0:
                return
            if key not in before and tokens and not await self._read_one(*key):
                return
            self._read[key] = tokens

    async def _size(self, messages: Messages) -> int:
        """Return how many tokens are read; 0 for what no question could follow."""
        try:
            return await self._engine.count_tokens(_with_question(messages))
        except ContextTooLong:
            return 0

    async def _read_one(self, model_id: str, person_id: str, messages: Messages) -> bool:
        if not self._may_run():
            return False
        request = GenerationRequest(
            request_id=f"warmup-{new_id()}",
            model_id=model_id,
            person_id=person_id,
            messages=_with_question(messages),
            sampling=Sampling(temperature=0, max_tokens=1),
            priority="background",
        )
        said = await self._idle.ask(request)
        await asyncio.sleep(self._check_seconds)  # so long the engine takes to keep it
        return said is not None


def _with_question(messages: Messages) -> Messages:
    """Templates want somebody to answer; what precedes the question's text is what is shared."""
    return (*messages, PromptMessage("user", ""))
