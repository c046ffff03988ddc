"""What is told to those who wait: where they stand, and when their first word comes."""

from collections.abc import Iterable

from allerac.engine.answer import Answer
from allerac.engine.fairness import FairShare
from allerac.engine.pace import Pace
from allerac.engine.protocol import Queued, Reading


class Forecast:
    """Estimates by what `pace` has learnt, for `sequences` answers at once."""

    def __init__(self, pace: Pace, share: FairShare, *, sequences: int) -> None:
        self._pace = pace
        self._share = share
        self._sequences = sequences

    def queued(self, answer: Answer, position: int, running: Iterable[Answer]) -> Queued:
        """Tell `answer` its `position` behind those that are `running`."""
        turn = self._pace.wait_seconds(position, self._sequences)
        reading = self._reading_seconds(answer, running)
        eta = None if turn is None or reading is None else turn + reading
        return Queued(position, answer.tell(eta))

    def reading(self, answer: Answer, running: Iterable[Answer]) -> Reading:
        """Tell `answer`, one of `running`, how much of its prompt is read."""
        eta = answer.tell(self._reading_seconds(answer, running))
        return Reading(answer.read, answer.prompt_tokens, answer.cached_tokens, eta)

    def _reading_seconds(self, answer: Answer, running: Iterable[Answer]) -> float | None:
        """How long its prompt takes, and those that are read before it."""
        others = [a for a in running if a is not answer]
        streaming = sum(a.is_streaming for a in others)
        people = len({a.person for a in [*others, answer]})
        key = self._share.key(answer)
        before = [a for a in others if not a.is_streaming and self._share.key(a) < key]
        tokens = sum(a.unread for a in before) + answer.unread
        return self._pace.reading_seconds(tokens, streaming, people)
