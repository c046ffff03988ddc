"""Summaries of older turns, made when nobody is waiting."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import structlog

from allerac.engine.protocol import GenerationRequest, Sampling
from allerac.storage.conversations import ConversationStore, SummaryRecord

from .context import Context, older_turns
from .generation import Job
from .history import History, turn_of
from .idle import IdleWork, Said, is_refusal
from .prompt import Turn

log = structlog.get_logger()

REQUEST = (
    "Sum up what we have said so far in at most {words} words, in the language that we speak. "
    "Keep names, numbers, dates, decisions and open questions."
)
SUMMARY_SHARE = 1 / 8
MAX_TOKENS = 512
TOKENS_PER_WORD = 2
"""English has 1.3, German nearly 2; what is asked for must end before it is cut."""


class Summariser:
    """Makes room in a full context; without a summary the beginning is left out, visibly."""

    def __init__(self, *, store: ConversationStore, context: Context, idle: IdleWork) -> None:
        self._store = store
        self._context = context
        self._idle = idle

    def consider(self, job: Job) -> None:
        """Summarise older turns in the background if little room is left after an answer."""
        self._idle.begin(_name(job.conversation_id), partial(self._make_room, job))

    def drop(self, conversation_id: str) -> None:
        """Give up what is under way: the conversation goes on, and may go on elsewhere."""
        self._idle.drop(_name(conversation_id))

    async def _make_room(self, job: Job) -> None:
        limit = self._context.limit_tokens
        answer = await self._store.message(job.person_id, job.answer_id)
        if limit is None or answer.usage is None:
            return
        used = int(answer.usage["prompt_tokens"]) + int(answer.usage["completion_tokens"])
        history = job.history.followed_by(turn_of(answer))
        turns = older_turns(history, used, limit)
        if not turns:
            return
        summary = await self._summarise(job, replace(history, turns=turns, left_out=0), limit)
        if summary is None:
            log.info("summary_not_made", conversation=job.conversation_id)
            return
        await self._store.add_summary(job.person_id, summary)
        rest = replace(history, turns=history.turns[len(turns) :], summary=summary, left_out=0)
        await self._read_ahead(job, rest)

    async def _summarise(self, job: Job, older: History, limit: int) -> SummaryRecord | None:
        max_tokens = int(min(MAX_TOKENS, limit * SUMMARY_SHARE))
        asked = Turn("user", REQUEST.format(words=max_tokens // TOKENS_PER_WORD))
        said = await self._ask("summary", job, older.followed_by(asked), max_tokens)
        content = _usable(said, older)
        if not content:
            return None
        return SummaryRecord(
            from_id=older.summary.from_id if older.summary else older.turns[0].message_id,
            until_id=older.turns[-1].message_id,
            message_count=older.summarised + len(older.turns),
            content=content,
            model_id=job.model_id,
            created_at=datetime.now(UTC),
        )

    async def _read_ahead(self, job: Job, history: History) -> None:
        """Have the engine read what the next prompt begins with, so that nobody waits for it."""
        await self._ask("reading", job, history, 1)

    async def _ask(self, what: str, job: Job, history: History, max_tokens: int) -> Said | None:
        return await self._idle.ask(
            GenerationRequest(
                request_id=f"{what}-{job.answer_id}",
                model_id=job.model_id,
                person_id=job.person_id,
                messages=self._context.compile(history),
                sampling=Sampling(temperature=0, max_tokens=max_tokens),
                priority="background",
            )
        )


def _name(conversation_id: str) -> str:
    return f"summary-{conversation_id}"


def _usable(said: Said | None, older: History) -> str:
    """Return the summary, or "" when it is none: empty, cut, or longer than what it stands for."""
    if said is None or not said.is_whole or is_refusal(said.text):
        return ""
    content = said.text.strip()
    before = older.summary.content if older.summary else ""
    whole = len(before) + sum(len(turn.content) for turn in older.turns)
    return content if len(content) < whole else ""
