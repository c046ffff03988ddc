"""Which sequence of the context's memory holds what, for whom.

A finished answer's sequence stays until somebody else asks, so that the next turn reads only what
is new; what is on disk goes on from there. What was read for one person is never used for another:
how soon an answer comes would tell what somebody else has asked.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from allerac.engine.answer import Answer
from allerac.engine.prefix_store import shared

IDLE_SEQUENCES: Final = 8
SEQUENCES_BESIDE: Final = IDLE_SEQUENCES + 1
"""What a context has beside those that run: idle ones, and one through which states move."""
# Shorter beginnings are read again sooner than they are looked after.
SHARED_TOKENS_MIN: Final = 4
FOLLOWED_TOKENS_MIN: Final = 32
"""Worth waiting for while another answer reads it."""


class Cells(Protocol):
    """The part of a context that this needs."""

    def remove(self, sequence: int, start: int = 0) -> bool:
        """Forget positions from `start` on; False where the model cannot do it."""

    def copy(self, source: int, target: int, end: int, start: int = 0) -> None:
        """Let `target` share the positions of `source` from `start` up to `end`."""


@dataclass(slots=True)
class Idle:
    """What a sequence that nobody uses holds."""

    person: str
    tokens: list[int]


class PromptMemory:
    """Hands out sequences of the context; `sequences` of them run at once."""

    def __init__(self, context: Cells, *, cells: int, sequences: int) -> None:
        self._context = context
        self._cells = cells
        self._free = set(range(sequences + IDLE_SEQUENCES))
        self._idle: dict[int, Idle] = {}  # least recently used first
        self.passage = sequences + IDLE_SEQUENCES
        """The sequence through which states come from disk and go there; empty otherwise."""

    def begin(self, answer: Answer, running: Iterable[Answer]) -> None:
        """Give `answer` a sequence that already holds as much of its prompt as is known."""
        known, source = self._known(answer, running)
        answer.sequence = self._sequence_from(source, known)
        answer.read = known if self._truncated(answer.sequence, known) else 0
        answer.leader = self._leader(answer, running)

    def follow(self, answer: Answer, running: Iterable[Answer]) -> bool:
        """Return whether `answer` should read now: not while another one reads the same for it."""
        leader = answer.leader
        if leader is None:
            return True
        if leader.sequence >= 0 and leader.read < min(
            shared(leader.tokens, answer.tokens), len(answer.tokens) - 1
        ):
            return False
        answer.leader = None
        known, source = self._known(answer, running)
        if known > answer.read:
            self._context.copy(source, answer.sequence, known, answer.read)
            answer.advance_cached(known)
        return True

    def end(self, answer: Answer) -> None:
        """Keep what `answer` has read as an idle sequence."""
        if answer.read >= SHARED_TOKENS_MIN:
            self._idle[answer.sequence] = Idle(answer.person, answer.tokens[: answer.read])
        else:
            self._release(answer.sequence)
        answer.sequence, answer.read = -1, 0

    def drop(self, answer: Answer) -> None:
        """Forget what `answer` has read; it will read again."""
        self._release(answer.sequence)
        answer.sequence, answer.read = -1, 0

    def forget(self, person: str) -> None:
        """Drop what is kept of a person."""
        for sequence in [s for s, idle in self._idle.items() if idle.person == person]:
            del self._idle[sequence]
            self._release(sequence)

    def make_room(self, reserved: int) -> None:
        """Forget idle sequences until `reserved` cells fit beside the rest."""
        while self._idle and self._idle_cells() + reserved > self._cells:
            self.evict()

    def put_aside(self, is_kept: Callable[[Idle], bool]) -> None:
        """Free the cells of idle sequences that are kept elsewhere.

        Attention goes over all cells up to the last that is taken, so resting ones cost everybody
        speed: a tenth at 1,024 cells of a model with half a billion parameters.
        """
        for sequence in [s for s, idle in self._idle.items() if is_kept(idle)]:
            del self._idle[sequence]
            self._release(sequence)

    def evict(self) -> bool:
        """Forget the least recently used idle sequence; False when there is none."""
        if not self._idle:
            return False
        sequence = next(iter(self._idle))
        del self._idle[sequence]
        self._release(sequence)
        return True

    def idle(self) -> Iterator[tuple[int, Idle]]:
        """Yield sequences that nobody uses, the one used last first."""
        yield from reversed(self._idle.items())

    def _known(self, answer: Answer, running: Iterable[Answer]) -> tuple[int, int]:
        """The longest beginning that a sequence of this person holds, and which one does."""
        limit = len(answer.tokens) - 1  # one token must be computed to have logits
        held = [
            (a.sequence, a.tokens[: a.read])
            for a in running
            if a.person == answer.person and a is not answer
        ]
        held += [(s, i.tokens) for s, i in self._idle.items() if i.person == answer.person]
        known, source = max(
            ((min(shared(tokens, answer.tokens), limit), sequence) for sequence, tokens in held),
            default=(0, -1),
        )
        return (known, source) if known >= SHARED_TOKENS_MIN else (0, -1)

    def _leader(self, answer: Answer, running: Iterable[Answer]) -> Answer | None:
        """Who is about to read more of the same prompt for the same person."""
        ahead = [
            (min(shared(a.tokens, answer.tokens), len(answer.tokens) - 1), -a.order, a)
            for a in running
            if a.person == answer.person and a.rank <= answer.rank and not a.is_streaming
        ]
        common, _, leader = max(ahead, key=lambda item: item[:2], default=(0, 0, None))
        return leader if common >= answer.read + FOLLOWED_TOKENS_MIN else None

    def _idle_cells(self) -> int:
        return sum(len(idle.tokens) for idle in self._idle.values())

    def _sequence_from(self, source: int, known: int) -> int:
        idle = self._idle.get(source)
        if idle is not None and known * 2 >= len(idle.tokens):
            del self._idle[source]  # mostly the same conversation: go on in it
            return source
        if idle is not None:
            self._idle[source] = self._idle.pop(source)  # used just now
        while not self._free:
            self.evict()
        target = self._free.pop()
        if known and source != target:
            self._context.copy(source, target, known)
        return target

    def _truncated(self, sequence: int, length: int) -> bool:
        if length and self._context.remove(sequence, length):
            return True
        self._context.remove(sequence)
        return False

    def _release(self, sequence: int) -> None:
        self._context.remove(sequence)
        self._free.add(sequence)
