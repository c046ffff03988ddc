"""Whose turn it is: classes first, then whoever would be served least."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from allerac.engine.answer import Answer, Place

TOKEN_SECONDS: Final = 0.01  # of a prompt, until it is measured
PIECE_SECONDS: Final = 8.0  # of a long prompt that keep one place


class FairShare:
    """Seconds computed for each person who has something running or waiting.

    Prompts are read in the order in which their people's shares would end with them: a short one
    goes before a long one. A prompt keeps the place that it had when it was begun, so one of many
    that came together is read to its end before the next is begun; with places that move, all of
    them would be read at the same time and wait for as long as the last. A long one gets a place
    for each `PIECE_SECONDS`.

    The clock goes by what each of those present is due of every second computed. Who comes anew
    starts by it: there is no credit for having been away, nobody is held to yesterday's use, and
    a long prompt is not put off for ever by short ones of others.

    Source: weighted fair queueing with its virtual time and finish tags (Demers, Keshav, Shenker,
    "Analysis and simulation of a fair queueing algorithm", 1989).
    """

    def __init__(self) -> None:
        self._served: dict[str, float] = {}
        self._clock = 0.0
        self.token_seconds = TOKEN_SECONDS

    def enter(self, person: str) -> None:
        self._served[person] = max(self._served.get(person, 0.0), self._clock)

    def charge(self, person: str, seconds: float) -> None:
        self._served[person] = self._served.get(person, self._clock) + seconds
        self._clock += seconds / len(self._served)

    def has_least(
        self,
        person: str,
        others: Iterable[str],
        computed: Mapping[str, float] = MappingProxyType({}),
    ) -> bool:
        """Tell whether `person` was served less than each of `others`.

        `computed` are seconds that each is going to have on top.
        """

        def served(name: str) -> float:
            return self._served_of(name) + computed.get(name, 0.0)

        return all(served(person) < served(other) for other in others if other != person)

    def keep(self, present: Iterable[str]) -> None:
        """Forget everybody who is not `present`."""
        names = set(present)
        self._served = {name: seconds for name, seconds in self._served.items() if name in names}

    def key(self, answer: Answer) -> tuple[int, bool, float, int]:
        """Sorts answers by urgency; one that was pre-empted goes first in its class."""
        return self.key_of(answer, self.place(answer))

    @staticmethod
    def key_of(answer: Answer, place: float) -> tuple[int, bool, float, int]:
        """Sorts as `key` does, for a place that `answer` may come to have."""
        return (answer.rank, answer.completion_tokens == 0, place, answer.order)

    def begin(self, answer: Answer) -> None:
        """`answer` is about to be read: it keeps its place for a piece."""
        if answer.place is None or answer.read >= answer.place.ends:
            ends = answer.read + self.piece_tokens
            answer.place = Place(self._served_of(answer.person), answer.unread, ends)

    @property
    def piece_tokens(self) -> int:
        """How many tokens of a prompt keep one place."""
        return max(1, int(PIECE_SECONDS / self.token_seconds))

    def place(self, answer: Answer) -> float:
        """Return the place that `answer` has, or would begin with, in seconds of a share."""
        place = answer.place
        if place is None:
            return self.next_place(answer, answer.unread)
        return place.served + self._piece_seconds(place.unread)

    def next_place(self, answer: Answer, unread: float, *, computed: float = 0.0) -> float:
        """Return the place of its next piece, once its person has `computed` more seconds."""
        return self._served_of(answer.person) + computed + self._piece_seconds(unread)

    def _piece_seconds(self, unread: float) -> float:
        return min(unread * self.token_seconds, PIECE_SECONDS)

    def _served_of(self, person: str) -> float:
        return self._served.get(person, self._clock)

    def rotation(self, answers: Sequence[Answer], places: int) -> list[Answer]:
        """Choose who gets a token in the next step: one of each person's first, then the rest.

        Within a person it is whoever waited longest, so that all of them move.
        """
        turns: Counter[str] = Counter()
        by_turn: list[tuple[tuple[int, int, int], Answer]] = []
        for answer in sorted(answers, key=lambda a: (a.rank, a.stepped)):
            by_turn.append(((turns[answer.person], answer.rank, answer.stepped), answer))
            turns[answer.person] += 1
        by_turn.sort(key=lambda item: item[0])
        return [answer for _, answer in by_turn[: max(places, 1)]]

    @staticmethod
    def crowding(newcomer: Answer, running: Iterable[Answer]) -> Answer | None:
        """Who should make way for `newcomer`, whose person has nothing running.

        The newest answer of whoever has most, and more than one; of no more urgent class.
        """
        answers = list(running)
        counts = Counter(answer.person for answer in answers)
        if counts[newcomer.person]:
            return None
        crowd = [a for a in answers if counts[a.person] > 1 and a.rank >= newcomer.rank]
        return max(crowd, key=lambda a: (counts[a.person], a.rank, a.order), default=None)


class WaitingLine:
    """Answers that wait for a sequence, in the order of `FairShare`."""

    def __init__(self, share: FairShare) -> None:
        self._share = share
        self._answers: list[Answer] = []

    def __len__(self) -> int:
        return len(self._answers)

    def __iter__(self) -> Iterator[Answer]:
        """Next one first."""
        return iter(sorted(self._answers, key=self._share.key))

    def add(self, answer: Answer) -> None:
        self._answers.append(answer)

    def remove(self, answer: Answer) -> None:
        self._answers.remove(answer)

    def first(self) -> Answer | None:
        return min(self._answers, key=self._share.key, default=None)
