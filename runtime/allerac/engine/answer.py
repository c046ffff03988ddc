"""One answer on its way: what it must read, what it has said."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from allerac.engine.calls import CallReader
from allerac.engine.logprobs import Recorded
from allerac.engine.prefix_file import Segment
from allerac.engine.protocol import (
    CallPart,
    Delta,
    Finished,
    FinishReason,
    GenerationRequest,
    TokenLikelihood,
    Usage,
)
from allerac.engine.quoting import Quoting
from allerac.engine.repetition import is_looping
from allerac.engine.sampling import Sampler
from allerac.engine.text import AnswerText

_ORDER: Final = count()
_CLASSES: Final = {"interactive": 0, "api": 1, "background": 2}


@dataclass(eq=False, slots=True, weakref_slot=True)
class Ticket:
    """Outlives the hand-over between threads: whoever holds it may cancel."""

    request: GenerationRequest
    arrived_at: float = field(default_factory=time.monotonic)
    cancelled: bool = False


class CallListener:
    """Reads calls of tools out of an answer; `spelled` are control tokens that it must see."""

    def __init__(self, reader: CallReader, spelled: Mapping[int, bytes]) -> None:
        self._reader = reader
        self._spelled = spelled
        self.has_called = False

    def spell(self, token: int, piece: bytes) -> bytes:
        return self._spelled.get(token, piece)

    def listen(self, text: str, *, final: bool) -> tuple[str, tuple[CallPart, ...]]:
        """Return what of `text` is said, and what is called."""
        parts = self._reader.push(text)
        if final:
            parts += self._reader.finish()
        calls = tuple(part for part in parts if isinstance(part, CallPart))
        self.has_called = self.has_called or bool(calls)
        return "".join(part for part in parts if isinstance(part, str)), calls


@dataclass(frozen=True, slots=True)
class Place:
    """Where a prompt stands among those that are read, until `ends` tokens of it are.

    It was given when `unread` tokens were to be read and its person had been `served` seconds.
    Seconds of the place itself would not do: what a token takes is learnt on the way, and each that
    comes after would be let in before those that were begun by a worse guess.
    """

    served: float
    unread: int
    ends: int


class Answer:
    """State of one answer.

    `tokens` is the prompt and, behind it, what was generated; the first `read` of them are in the
    context's memory as `sequence`. An answer that was pre-empted has `read` 0 and simply reads
    again, so going on is no special case. `stepped` is the step that gave it a token last. Before
    it reads, it may wait for its `leader` to read the same, and for the `stored` pieces of its
    prompt to come from disk.
    """

    def __init__(
        self,
        ticket: Ticket,
        prompt: list[int],
        limit: int,
        sampler: Sampler,
        listener: CallListener | None = None,
    ) -> None:
        self.ticket = ticket
        self.tokens = prompt
        self.prompt_tokens = len(prompt)
        self.limit = limit
        self.sampler = sampler
        self.sequence = -1
        self.read = 0
        self.cached_tokens = 0
        self.order = next(_ORDER)
        self.position: int | None = None
        self.place: Place | None = None
        self.quoting = Quoting()
        self.stepped = 0
        self.leader: Answer | None = None
        self.stored: list[Segment] = []
        self._told_first_at: float | None = None
        self._text = AnswerText(ticket.request.sampling.stop)
        self._unsent_tokens = 0
        self._is_cut = False
        self._listener = listener
        self._recorded = sampler if isinstance(sampler, Recorded) else None
        self._unsent_likelihoods: tuple[TokenLikelihood, ...] = ()
        self._first_at: float | None = None
        self._last_at = 0.0

    @property
    def id(self) -> str:
        return self.ticket.request.request_id

    @property
    def person(self) -> str:
        return self.ticket.request.person_id

    @property
    def rank(self) -> int:
        """0 for the most urgent class."""
        return _CLASSES[self.ticket.request.priority]

    @property
    def is_background(self) -> bool:
        """Whether nobody waits for it."""
        return self.ticket.request.priority == "background"

    @property
    def unread(self) -> int:
        return len(self.tokens) - self.read

    @property
    def completion_tokens(self) -> int:
        return len(self.tokens) - self.prompt_tokens

    @property
    def is_streaming(self) -> bool:
        """Whether its next step yields a token and costs one."""
        return self.unread == 1 and self.completion_tokens > 0

    @property
    def is_stopped(self) -> bool:
        return self._text.stopped

    def advance_cached(self, end: int) -> None:
        """The prompt is known up to `end` without having been computed for this answer."""
        if not self.completion_tokens:
            self.cached_tokens += end - self.read
        self.read = end

    def tell(self, seconds: float | None) -> float | None:
        """Note when the first word was said to come, the first time that is known."""
        if seconds is not None and self._told_first_at is None:
            self._told_first_at = time.monotonic() + seconds
        return seconds

    def append(self, token: int, piece: bytes) -> Delta | None:
        """Take a generated token; returns the text that became certain, if any."""
        self._last_at = time.monotonic()
        if self._first_at is None:
            self._first_at = self._last_at
        self.tokens.append(token)
        self._unsent_tokens += 1
        if self.ticket.request.sampling.grammar is None and is_looping(
            self.tokens, self.prompt_tokens
        ):
            self._is_cut, self.limit = True, self.completion_tokens
        if self._recorded is not None:
            self._unsent_likelihoods += self._recorded.take()
        if self._listener is not None:
            piece = self._listener.spell(token, piece)
        return self._delta(self._text.push(piece))

    def rest(self) -> Delta | None:
        """Text held back until now, at the end of the answer."""
        return self._delta(self._text.finish(), final=True)

    def finished(self, reason: FinishReason) -> Finished:
        """The last event, with what the answer cost."""
        first = self._first_at or time.monotonic()
        generated = self.completion_tokens
        span = self._last_at - first
        usage = Usage(
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.cached_tokens,
            completion_tokens=generated,
            first_token_seconds=first - self.ticket.arrived_at,
            tokens_per_second=(generated - 1) / span if generated > 1 and span > 0 else None,
            estimated_seconds=self._estimated_seconds(),
        )
        if reason == "stop" and self._listener is not None and self._listener.has_called:
            reason = "tool_calls"
        if self._is_cut and reason == "length":
            reason = "repetition"
        return Finished(reason, usage)

    def _estimated_seconds(self) -> float | None:
        if self._told_first_at is None or self._first_at is None:
            return None
        return self._told_first_at - self.ticket.arrived_at

    def _delta(self, text: str, *, final: bool = False) -> Delta | None:
        calls: tuple[CallPart, ...] = ()
        if self._listener is not None:
            text, calls = self._listener.listen(text, final=final)
        if not text and not calls:
            return None
        tokens, self._unsent_tokens = self._unsent_tokens, 0
        likelihoods, self._unsent_likelihoods = self._unsent_likelihoods, ()
        return Delta(text, tokens, likelihoods, calls)
