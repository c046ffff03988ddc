"""Moves what was read between the context's memory and the disk, a piece at a time.

A piece takes milliseconds, so whoever streams meanwhile hardly notices: a conversation comes back
in steps, as a prompt is read in chunks.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from allerac.engine.answer import Answer
from allerac.engine.memory import Cells, Idle
from allerac.engine.prefix_file import SEGMENT_TOKENS, Segment
from allerac.engine.prefix_store import shared

KEPT_TOKENS_MIN: Final = 32
"""Fewer are read again sooner than a file is opened; a title's question stays below it."""
BUSY_SAVE_SECONDS: Final = 2.0
"""Between pieces while others wait for the loop; an idle one saves all there is."""


class States(Cells, Protocol):
    """A context whose sequences can be had as bytes."""

    def state(self, sequence: int) -> bytes:
        """The state of `sequence`; nothing where it cannot be had."""

    def set_state(self, sequence: int, state: bytes) -> bool:
        """Fill the empty `sequence`; False, and it stays empty, where that does not work."""


class Store(Protocol):
    """The part of `PrefixStore` that this needs."""

    @property
    def can_take(self) -> bool:
        """Whether a piece may be put."""

    def path(self, person: str, tokens: list[int]) -> list[Segment]:
        """The pieces that `tokens` begin with."""

    def load(self, segment: Segment) -> bytes | None:
        """The state of a piece."""

    def put(
        self,
        person: str,
        parent: Segment | None,
        tokens: list[int],
        state: bytes,
        on_kept: Callable[[], None],
    ) -> None:
        """Keep a piece; `on_kept` is called when that is over."""

    def drop(self, segment: Segment) -> None:
        """Forget a piece that is of no use."""


class DiskPrefixes:
    """Belongs to the thread that owns the context.

    `passage` is a sequence that nobody else uses; `on_kept` is called, in another thread, when the
    disk can take the next piece.
    """

    def __init__(
        self, context: States, store: Store, *, passage: int, on_kept: Callable[[], None]
    ) -> None:
        self._context = context
        self._store = store
        self._passage = passage
        self._on_kept = on_kept
        self._saved_at = 0.0

    def plan(self, answer: Answer) -> None:
        """Note what of the prompt of `answer` is on disk beyond what it has already."""
        answer.stored = []
        limit = len(answer.tokens) - 1
        path = self._store.path(answer.person, answer.tokens)
        if not path:
            return
        last = path[-1]
        end = last.start + shared(last.tokens, answer.tokens[last.start : last.end])
        if min(end, limit) >= answer.read + KEPT_TOKENS_MIN:
            answer.stored = [segment for segment in path if segment.end > answer.read]

    def restore(self, running: Iterable[Answer]) -> bool:
        """Bring one piece into memory for the most urgent answer; False when none is awaited."""
        awaiting = [answer for answer in running if answer.stored]
        if not awaiting:
            return False
        answer = min(awaiting, key=lambda a: (a.rank, a.order))
        segment = answer.stored.pop(0)
        if not self._bring(answer, segment):
            answer.stored.clear()
        return True

    def save(self, idle: Iterable[tuple[int, Idle]], *, is_busy: bool) -> bool:
        """Send one piece that is not on disk there; False when there is none, or not now."""
        if not self._store.can_take:
            return False
        if is_busy and time.monotonic() < self._saved_at + BUSY_SAVE_SECONDS:
            return False
        self._saved_at = time.monotonic()
        return any(self._send(sequence, held) for sequence, held in idle)

    def keeps(self, held: Idle) -> bool:
        """Whether what a sequence holds is on disk, but for an end that is soon read again."""
        whole = self._whole(held)
        return len(held.tokens) - (whole[-1].end if whole else 0) < KEPT_TOKENS_MIN

    def _bring(self, answer: Answer, segment: Segment) -> bool:
        state = self._store.load(segment)
        if state is None:
            return False
        if not self._context.set_state(self._passage, state):
            self._store.drop(segment)
            return False
        agreed = shared(segment.tokens, answer.tokens[segment.start : segment.end])
        end = min(segment.start + agreed, len(answer.tokens) - 1)
        self._context.copy(self._passage, answer.sequence, end, answer.read)
        self._context.remove(self._passage)
        answer.advance_cached(end)
        return True

    def _whole(self, held: Idle) -> list[Segment]:
        """The pieces on disk that agree with what a sequence holds to their last token."""
        return [
            segment
            for segment in self._store.path(held.person, held.tokens)
            if held.tokens[segment.start : segment.end] == segment.tokens
        ]

    def _send(self, sequence: int, held: Idle) -> bool:
        whole = self._whole(held)
        parent = whole[-1] if whole else None
        start = parent.end if parent else 0
        tokens = held.tokens[start : start + SEGMENT_TOKENS]
        if len(tokens) < KEPT_TOKENS_MIN:
            return False
        self._context.copy(sequence, self._passage, start + len(tokens), start)
        try:
            state = self._context.state(self._passage)
        except MemoryError:  # the process is at its limit; what is in memory serves as before
            state = b""
        self._context.remove(self._passage)
        if not state:
            return False
        self._store.put(held.person, parent, tokens, state, self._on_kept)
        return True
