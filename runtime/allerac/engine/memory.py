"""Which sequence of the context's memory holds what, for whom.

A finished answer's sequence stays until its room is needed, so that the next turn reads only what
is new. What was read for one person is never used for another: how soon an answer comes would
tell what somebody else has asked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from allerac.engine.answer import Answer

IDLE_SEQUENCES: Final = 8
# Shorter beginnings are read again sooner than they are looked after.
SHARED_TOKENS_MIN: Final = 4


class Cells(Protocol):
    """The part of a context that this needs."""

    def remove(self, sequence: int, start: int = 0) -> bool:
        """Forget positions from `start` on; False where the model cannot do it."""

    def copy(self, source: int, target: int, end: int) -> None:
        """Let `target` share the first `end` positions of `source`."""


@dataclass(slots=True)
class _Idle:
    person: str
    tokens: list[int]


class PromptMemory:
    """Hands out sequences of the context; `sequences` of them run at once."""

    def __init__(self, context: Cells, *, cells: int, sequences: int) -> None:
        self._context = context
        self._cells = cells
        self._free = set(range(sequences + IDLE_SEQUENCES))
        self._idle: dict[int, _Idle] = {}  # least recently used first

    def begin(self, answer: Answer, running: Iterable[Answer]) -> None:
        """Give `answer` a sequence that already holds as much of its prompt as is known."""
        limit = len(answer.tokens) - 1  # one token must be computed to have logits
        known = [(a.sequence, a.tokens[: a.read]) for a in running if a.person == answer.person]
        known += [(s, i.tokens) for s, i in self._idle.items() if i.person == answer.person]
        shared, source = max(
            ((min(_common(tokens, answer.tokens), limit), sequence) for sequence, tokens in known),
            default=(0, -1),
        )
        if shared < SHARED_TOKENS_MIN:
            shared, source = 0, -1
        answer.sequence = self._sequence_from(source, shared)
        answer.read = shared if self._truncated(answer.sequence, shared) else 0

    def end(self, answer: Answer) -> None:
        """Keep what `answer` has read as an idle sequence."""
        if answer.read >= SHARED_TOKENS_MIN:
            self._idle[answer.sequence] = _Idle(answer.person, answer.tokens[: answer.read])
        else:
            self._release(answer.sequence)
        answer.sequence = -1

    def drop(self, answer: Answer) -> None:
        """Forget what `answer` has read; it will read again."""
        self._release(answer.sequence)
        answer.sequence, answer.read = -1, 0

    def make_room(self, reserved: int) -> None:
        """Forget idle sequences until `reserved` cells fit beside the rest."""
        while self._idle and self._idle_cells() + reserved > self._cells:
            self.evict()

    def evict(self) -> bool:
        """Forget the least recently used idle sequence; False when there is none."""
        if not self._idle:
            return False
        sequence = next(iter(self._idle))
        del self._idle[sequence]
        self._release(sequence)
        return True

    def _idle_cells(self) -> int:
        return sum(len(idle.tokens) for idle in self._idle.values())

    def _sequence_from(self, source: int, shared: int) -> int:
        idle = self._idle.get(source)
        if idle is not None and shared * 2 >= len(idle.tokens):
            del self._idle[source]  # mostly the same conversation: go on in it
            return source
        if idle is not None:
            self._idle[source] = self._idle.pop(source)  # used just now
        while not self._free:
            self.evict()
        target = self._free.pop()
        if shared and source != target:
            self._context.copy(source, target, shared)
        return target

    def _truncated(self, sequence: int, length: int) -> bool:
        if length and self._context.remove(sequence, length):
            return True
        self._context.remove(sequence)
        return False

    def _release(self, sequence: int) -> None:
        self._context.remove(sequence)
        self._free.add(sequence)


def _common(left: Sequence[int], right: Sequence[int]) -> int:
    """Length of the longest common beginning."""
    low, high = 0, min(len(left), len(right))
    while low < high:  # comparing slices is quicker than a loop over tokens
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
