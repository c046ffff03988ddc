"""Fitting branches into what the model reads, and telling how full that is."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from allerac.engine.protocol import Engine, PromptMessage
from allerac.errors import AlleracError, ContextTooLong

from .history import History
from .prompt import Turn, compile_prompt

ANSWER_SHARE = 1 / 8
"""Of the context length, what a question leaves free for its answer."""
FULL_SHARE = 3 / 4
"""Beyond this older turns are summarised: the next question should still fit."""
KEPT_SHARE = 1 / 4
"""What of the newest turns is read word by word after a summary."""

BYTES_PER_TOKEN = 3
"""A cautious guess where nothing is loaded: English has about 4, German 3.5, code 3."""
TOKENS_PER_MESSAGE = 16
"""More than what any template that we know puts around a message."""
COUNT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Size:
    """Tokens of a prompt with its template; `is_estimate` when no tokenizer has seen it."""

    tokens: int
    is_estimate: bool


@dataclass(frozen=True, slots=True)
class ContextGauge:
    """What the next message of a branch meets; all `_tokens` and numbers of messages.

    `used_tokens` are read before the draft, which has `draft_tokens`. `limit_tokens` is 0 while no
    model is loaded. Sent now, `left_out_messages` would not be read and `summarised_messages` as a
    summary, which ends with the message `summarised_until_id`; `to_summarise_messages` would be
    added to it once the box is idle. Where `fits` is false, the draft alone is too long.
    """

    used_tokens: int
    draft_tokens: int
    limit_tokens: int
    is_estimate: bool
    fits: bool
    summarised_messages: int
    summarised_until_id: str | None
    left_out_messages: int
    to_summarise_messages: int


class Context:
    """What the model that is loaded can read."""

    def __init__(self, *, engine: Engine, instructions: str) -> None:
        self._engine = engine
        self._instructions = instructions

    @property
    def limit_tokens(self) -> int | None:
        """Tokens of prompt and answer together; None while no model is loaded."""
        return self._engine.status().context_length

    def compile(self, history: History) -> tuple[PromptMessage, ...]:
        """Return the messages that the model reads."""
        summary = history.summary.content if history.summary else None
        setting = history.setting
        return compile_prompt(
            instructions=setting.instructions or self._instructions,
            history=history.turns,
            memories=setting.memories,
            summary=summary,
        )

    async def measure(self, history: History, model_id: str) -> Size:
        """Count by the tokenizer of `model_id` where that is loaded, else estimate."""
        messages = self.compile(history)
        status = self._engine.status()
        if status.state == "ready" and status.model_id == model_id:
            try:
                async with asyncio.timeout(COUNT_SECONDS):
                    return Size(await self._engine.count_tokens(messages), is_estimate=False)
            except ContextTooLong as error:
                return Size(max(error.prompt_tokens, error.limit_tokens), is_estimate=True)
            except (TimeoutError, AlleracError):
                pass  # the engine is starting again
        return Size(_estimate(messages), is_estimate=True)

    async def fit(self, history: History, model_id: str) -> History:
        """Leave out the beginning of `history` until it fits with room for an answer.

        Returns it as it is when its last question alone is too long.
        """
        limit = self.limit_tokens
        if limit is None or _cannot_exceed(self.compile(history), _room(limit)):
            return history
        return await self._shortened(history, model_id, limit) or history

    async def gauge(self, history: History, draft: str, model_id: str) -> ContextGauge:
        """Tell how full the context is before `draft`, with it, and what would happen."""
        limit = self.limit_tokens or 0
        used = await self.measure(history.followed_by(Turn("user", "")), model_id)
        asked = history.followed_by(Turn("user", draft))
        total = await self.measure(asked, model_id) if draft else used
        fitted: History | None = asked
        if limit and total.tokens > _room(limit):
            fitted = await self._shortened(asked, model_id, limit)
        shown = fitted or asked
        older = older_turns(asked, total.tokens, limit) if fitted is asked else ()
        return ContextGauge(
            used_tokens=used.tokens,
            draft_tokens=max(0, total.tokens - used.tokens),
            limit_tokens=limit,
            is_estimate=used.is_estimate or total.is_estimate,
            fits=fitted is not None,
            summarised_messages=shown.summarised,
            summarised_until_id=shown.summary.until_id if shown.summary else None,
            left_out_messages=shown.left_out,
            to_summarise_messages=len(older),
        )

    async def _shortened(self, history: History, model_id: str, limit: int) -> History | None:
        """Return the longest end of `history` that fits; None when not even the last turn does."""
        size = await self.measure(history, model_id)
        while size.tokens > _room(limit):
            starts = history.starts()
            if not starts:
                return history if size.tokens < limit else None
            spare = _tokens_before(history, size.tokens)
            excess = size.tokens - _room(limit)
            start = next((at for at in starts if spare[at] >= excess), starts[-1])
            history = history.beginning_at(start)
            size = await self.measure(history, model_id)
        return history


def older_turns(history: History, used_tokens: int, limit_tokens: int) -> tuple[Turn, ...]:
    """Return the turns that a summary should stand for; none while there is room.

    The newest questions are kept with their answers, the last one always.
    """
    if not limit_tokens or used_tokens <= limit_tokens * FULL_SHARE:
        return ()
    before = _tokens_before(history, used_tokens)
    questions = [at for at, turn in enumerate(history.turns) if turn.role == "user"]
    kept = limit_tokens * KEPT_SHARE
    first = next((at for at in questions if used_tokens - before[at] <= kept), questions[-1])
    return history.turns[:first]


def _room(limit: int) -> int:
    return limit - int(limit * ANSWER_SHARE)


def _tokens_before(history: History, tokens: int) -> list[int]:
    """Share `tokens` among the turns by their length; return what stands before each one."""
    summary = history.summary.content if history.summary else ""
    sizes = [_bytes(text) for text in (summary, *map(_read_text, history.turns))]
    whole = sum(sizes) or 1
    return [tokens * size // whole for size in accumulate(sizes[:-1])]


def _read_text(turn: Turn) -> str:
    return "\n".join((*turn.passages, turn.content))


def _cannot_exceed(messages: Sequence[PromptMessage], tokens: int) -> bool:
    """True where even a token per byte would fit, which saves asking the engine."""
    longest = sum(TOKENS_PER_MESSAGE + _bytes(message.content) for message in messages)
    return longest + TOKENS_PER_MESSAGE <= tokens


def _estimate(messages: Sequence[PromptMessage]) -> int:
    return sum(_bytes(message.content) // BYTES_PER_TOKEN + 4 for message in messages)


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
