"""Summaries of older turns, made when nobody is waiting."""

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

    async def consider(self, job: Job) -> None:
        """Summarise older turns in the background if little room is left after an answer."""
        limit = self._context.limit_tokens
        answer = await self._store.message(job.person_id, job.answer_id)
        if limit is None or answer.usage is None:
            return
        used = int(answer.usage["prompt_tokens"]) + int(answer.usage["completion_tokens"])
        turns = older_turns(job.history.followed_by(turn_of(answer)), used, limit)
        if turns:
            older = History(turns, job.history.summary)
            make = partial(self._make, job, older, int(min(MAX_TOKENS, limit * SUMMARY_SHARE)))
            self._idle.begin(_name(job.conversation_id), make)

    def drop(self, conversation_id: str) -> None:
        """Give up what is under way: the conversation goes on, and may go on elsewhere."""
        self._idle.drop(_name(conversation_id))

    async def _make(self, job: Job, older: History, max_tokens: int) -> None:
        asked = REQUEST.format(words=max_tokens // TOKENS_PER_WORD)
        said = await self._idle.ask(
            GenerationRequest(
                request_id=f"summary-{job.answer_id}",
                model_id=job.model_id,
                person_id=job.person_id,
                messages=self._context.compile(older.followed_by(Turn("user", asked))),
                sampling=Sampling(temperature=0, max_tokens=max_tokens),
                priority="background",
            )
        )
        content = _usable(said, older)
        if not content:
            log.info("summary_not_made", conversation=job.conversation_id)
            return
        first = older.summary.from_id if older.summary else older.turns[0].message_id
        summary = SummaryRecord(
            from_id=first,
            until_id=older.turns[-1].message_id,
            message_count=older.summarised + len(older.turns),
            content=content,
            model_id=job.model_id,
            created_at=datetime.now(UTC),
        )
        await self._store.add_summary(job.person_id, summary)


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
