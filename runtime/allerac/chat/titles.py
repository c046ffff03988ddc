"""Titles for conversations, made when nobody is waiting."""

import asyncio
import contextlib
import re

import structlog

from allerac.engine.protocol import Delta, Engine, GenerationRequest, PromptMessage, Sampling
from allerac.errors import AlleracError
from allerac.storage.conversations import ConversationStore

from .generation import Job

log = structlog.get_logger()

REQUEST = "Give this conversation a title of at most five words."
MAX_TOKENS = 12
MAX_CHARACTERS = 60
FALLBACK_WORDS = 6
IDLE_CHECK_SECONDS = 0.5
IDLE_CHECKS = 600
"""Five minutes; after that the first words of the conversation are title enough."""


class TitleMaker:
    """Makes one title at a time, and only while the engine has nothing else to do."""

    def __init__(
        self,
        *,
        store: ConversationStore,
        engine: Engine,
        idle_check_seconds: float = IDLE_CHECK_SECONDS,
    ) -> None:
        self._store = store
        self._engine = engine
        self._idle_check_seconds = idle_check_seconds
        self._tasks: set[asyncio.Task[None]] = set()

    async def consider(self, job: Job) -> None:
        """Make a title in the background if the conversation of `job` has none."""
        if await self._store.has_title(job.conversation_id):
            return
        task = asyncio.create_task(self._make(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Give up what is not done."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _make(self, job: Job) -> None:
        opening = next((m.content for m in job.messages if m.role == "user"), "")
        try:
            title = clean_title(await self._ask(job)) or first_words(opening)
            await self._store.set_model_title(job.conversation_id, title)
        except AlleracError as error:
            log.info("title_not_made", reason=error.code)

    async def _ask(self, job: Job) -> str:
        if not await self._wait_until_idle():
            return ""
        request = GenerationRequest(
            request_id=f"title-{job.answer_id}",
            model_id=job.model_id,
            person_id=job.person_id,
            messages=(*job.messages, PromptMessage("user", REQUEST)),
            sampling=Sampling(temperature=0, max_tokens=MAX_TOKENS),
            priority="background",
        )
        text = ""
        try:
            async with contextlib.aclosing(self._engine.generate(request)) as events:
                async for event in events:
                    text += event.text if isinstance(event, Delta) else ""
        except AlleracError as error:
            log.info("title_not_asked", reason=error.code)
            return ""
        return text

    async def _wait_until_idle(self) -> bool:
        for _ in range(IDLE_CHECKS):
            status = self._engine.status()
            if status.state == "ready" and status.active == status.waiting == 0:
                return True
            await asyncio.sleep(self._idle_check_seconds)
        return False


def clean_title(text: str) -> str:
    """Return one plain line of at most `MAX_CHARACTERS`, or "" when it says nothing."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    line = re.sub(r"^(title|titel)\s*:\s*", "", line, flags=re.IGNORECASE)
    line = line.strip(" \t\"'“”„«»*#.").strip()
    if line.lower().startswith("i do not know"):
        return ""
    return line[:MAX_CHARACTERS].strip()


def first_words(text: str) -> str:
    """Return the beginning of the last line of `text`, which is where the question stands."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    words = " ".join((lines[-1] if lines else "").split()[:FALLBACK_WORDS])
    return words[:MAX_CHARACTERS].rstrip(" ,.;:?!") or "Conversation"
