"""Titles for conversations, made when nobody is waiting."""

import re
from functools import partial

from allerac.engine.protocol import GenerationRequest, PromptMessage, Sampling
from allerac.storage.conversations import ConversationStore

from .generation import Job
from .idle import IdleWork, is_refusal

REQUEST = "Give this conversation a title of at most five words."
MAX_TOKENS = 12
MAX_CHARACTERS = 60
FALLBACK_WORDS = 6


class TitleMaker:
    """Names conversations; the first words are title enough when the model has no time."""

    def __init__(self, *, store: ConversationStore, idle: IdleWork) -> None:
        self._store = store
        self._idle = idle

    def consider(self, job: Job) -> None:
        """Make a title in the background if the conversation of `job` has none."""
        self._idle.begin(f"title-{job.conversation_id}", partial(self._make, job))

    async def _make(self, job: Job) -> None:
        if await self._store.has_title(job.conversation_id):
            return
        opening = next((m.content for m in job.messages if m.role == "user"), "")
        answer = await self._store.message(job.person_id, job.answer_id)
        asked = (PromptMessage("assistant", answer.content), PromptMessage("user", REQUEST))
        request = GenerationRequest(
            request_id=f"title-{job.answer_id}",
            model_id=job.model_id,
            person_id=job.person_id,
            messages=(*job.messages, *asked),
            sampling=Sampling(temperature=0, max_tokens=MAX_TOKENS),
            priority="background",
        )
        said = await self._idle.ask(request)
        title = clean_title(said.text) if said else ""
        await self._store.set_model_title(job.conversation_id, title or first_words(opening))


def clean_title(text: str) -> str:
    """Return one plain line of at most `MAX_CHARACTERS`, or "" when it says nothing."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    line = re.sub(r"^(title|titel)\s*:\s*", "", line, flags=re.IGNORECASE)
    line = line.strip(" \t\"'“”„«»*#.").strip()
    return "" if is_refusal(line) else line[:MAX_CHARACTERS].strip()


def first_words(text: str) -> str:
    """Return the beginning of the last line of `text`, which is where the question stands."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    words = " ".join((lines[-1] if lines else "").split()[:FALLBACK_WORDS])
    return words[:MAX_CHARACTERS].rstrip(" ,.;:?!") or "Conversation"
