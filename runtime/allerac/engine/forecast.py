"""What is told to those who wait: where they stand, and when their first word comes."""

from bisect import insort
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from math import inf
from typing import Final

from allerac.engine.answer import Answer
from allerac.engine.fairness import FairShare
from allerac.engine.pace import Average, Flow, Pace
from allerac.engine.protocol import Queued, Reading

_WEIGHT: Final = 0.3  # of the newest answer
_LOOK_AGAIN_STEPS: Final = 4  # after which somebody who was due may be so no longer
_HARDLY: Final = 1e-6  # of a token: what is left of sums that come out even


class Forecast:
    """Plays what is to come, by what `pace` has learnt.

    There are places for `sequences` answers at once, and for `step_tokens` in a step.

    Prompts are read one after the other as their places are; whose prompt is read writes beside
    the others' reading, for as long as answers here usually are, and makes room for who waits.
    """

    def __init__(self, pace: Pace, share: FairShare, *, sequences: int, step_tokens: int) -> None:
        self._pace = pace
        self._share = share
        self._sequences = sequences
        self._capacity = step_tokens
        self._usual = Average(_WEIGHT)

    def finished(self, answer: Answer) -> None:
        """`answer` has come to its end: learn how long answers are, in tokens."""
        self._usual.add(answer.completion_tokens)

    def queued(
        self, line: Sequence[Answer], running: Sequence[Answer]
    ) -> Iterator[tuple[Answer, Queued]]:
        """Tell those in `line` whose position behind those `running` has changed."""
        moved = [
            (position, answer)
            for position, answer in enumerate(line, 1)
            if answer.position != position and not answer.completion_tokens
        ]
        told = self._first_words(running, line) if moved else {}
        for position, answer in moved:
            answer.position = position
            yield answer, Queued(position, answer.tell(told.get(answer)))

    def reading(self, answer: Answer, running: Sequence[Answer]) -> Reading:
        """Tell `answer`, one of `running`, how much of its prompt is read."""
        eta = answer.tell(self._first_words(running, (), until=answer).get(answer))
        return Reading(answer.read, answer.prompt_tokens, answer.cached_tokens, eta)

    def _first_words(
        self, running: Sequence[Answer], line: Sequence[Answer], until: Answer | None = None
    ) -> Mapping[Answer, float]:
        """Seconds until each prompt is read; without those of which it cannot be known.

        It ends with `until`, where only that one is asked for.
        """
        computed = [a for a in running if not a.is_background] or running
        play = _Play(
            self._pace, self._share, {a.person for a in (*computed, *line)}, self._capacity
        )
        for answer in computed:
            if answer.is_streaming:
                play.writing[answer] = self._to_come(answer)
            else:
                play.take(answer)
        others = len(running) - len(computed)
        waiting = deque(line)
        while play.reading or waiting:
            while waiting and others + play.size < self._sequences:
                play.take(waiting.popleft())
            known = len(play.told)
            if not play.go_on():
                break
            for answer in list(play.told)[known:]:
                play.writing[answer] = self._to_come(answer)
            if until in play.told:
                break
        return play.told

    def _to_come(self, answer: Answer) -> float:
        """Tokens that an answer probably still has; without end where none has ended yet.

        One that is longer than usual goes on for about as long again.
        """
        if self._usual.value is None:
            return inf
        usual, written = self._usual.value, answer.completion_tokens
        return max(
            1.0, min(usual - written if written < usual else written, answer.limit - written)
        )


@dataclass(slots=True)
class _Reader:
    """A prompt of which so many tokens are unread, and so many have the place that it has now."""

    answer: Answer
    unread: float
    place: float
    piece: float


class _Play:
    """What is to come on a copy of what is."""

    def __init__(self, pace: Pace, share: FairShare, people: Set[str], capacity: int) -> None:
        self._pace = pace
        self._share = share
        self._people = people
        self._capacity = capacity
        self._seconds = 0.0
        self._computed: defaultdict[str, float] = defaultdict(float)
        self.reading: list[_Reader] = []
        self.writing: dict[Answer, float] = {}
        """Tokens that each answer still has."""
        self.told: dict[Answer, float] = {}
        """When each prompt is read, in the order in which that happens."""

    @property
    def size(self) -> int:
        """How many are answered at once."""
        return len(self.reading) + len(self.writing)

    def take(self, answer: Answer) -> None:
        """`answer` begins to be read, or goes on."""
        piece = float(self._share.piece_tokens)
        if answer.place is not None and answer.read < answer.place.ends:
            piece = float(answer.place.ends - answer.read)
        self._enter(_Reader(answer, answer.unread, self._share.place(answer), piece))

    def go_on(self) -> bool:
        """Play on while it stays as it is; False where nobody knows how long that is."""
        writers = {answer.person for answer in self.writing}
        is_due = bool(self.reading) and self._share.has_least(
            self.reading[0].answer.person, writers, self._computed
        )
        people = 1 if is_due else len(self._people)
        flow = self._pace.flow(len(self.writing), people, is_reading=bool(self.reading))
        if flow is None:
            return False
        if self.reading and not self.writing:
            self._read(min(flow.chunk, self._capacity), flow)
            return True
        ends = min(self.writing.values()) / flow.written
        if self.reading:
            first = self.reading[0]
            most = _LOOK_AGAIN_STEPS * flow.chunk if is_due else inf
            self._read(min(first.unread, first.piece, most, ends * flow.read), flow)
        elif ends < inf:
            self._seconds += ends
            self._write(ends * flow.written, 1 / (flow.written * len(self.writing)))
        else:
            return False
        return True

    def _read(self, tokens: float, flow: Flow) -> None:
        """A step, or several of one kind, with so many tokens of the prompts."""
        tokens = min(tokens, sum(reader.unread for reader in self.reading))
        seconds = tokens / flow.read
        written = seconds * flow.written
        each = seconds / (tokens + written * len(self.writing))
        self._seconds += seconds
        self._write(written, each)
        while tokens > _HARDLY:
            reader = self.reading.pop(0)
            taken = min(tokens, reader.unread, reader.piece)
            tokens -= taken
            reader.unread -= taken
            reader.piece -= taken
            self._computed[reader.answer.person] += taken * each
            if reader.unread <= _HARDLY:
                self.told[reader.answer] = self._seconds
                continue
            if reader.piece <= _HARDLY:
                answer, computed = reader.answer, self._computed[reader.answer.person]
                reader.place = self._share.next_place(answer, reader.unread, computed=computed)
                reader.piece = self._share.piece_tokens
            self._enter(reader)

    def _write(self, tokens: float, each: float) -> None:
        """So many tokens of every answer, each of which takes `each` seconds."""
        for answer in self.writing:
            self._computed[answer.person] += tokens * each
        left = {answer: more - tokens for answer, more in self.writing.items()}
        self.writing = {answer: more for answer, more in left.items() if more > _HARDLY}

    def _enter(self, reader: _Reader) -> None:
        insort(self.reading, reader, key=lambda r: self._share.key_of(r.answer, r.place))
