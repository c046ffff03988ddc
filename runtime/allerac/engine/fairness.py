"""Whose turn it is: classes first, then whoever was served least."""

from collections.abc import Iterable, Iterator

from allerac.engine.answer import Answer


class FairShare:
    """Tokens computed for each person who has something running or waiting.

    Who comes anew starts level with the least served of those present: there is no credit for
    having been away, and nobody is held to yesterday's use (start-time fair queueing).
    """

    def __init__(self) -> None:
        self._served: dict[str, float] = {}

    def enter(self, person: str) -> None:
        self._served.setdefault(person, min(self._served.values(), default=0.0))

    def charge(self, person: str, tokens: int) -> None:
        self._served[person] = self._served.get(person, 0.0) + tokens

    def keep(self, present: Iterable[str]) -> None:
        """Forget everybody who is not `present`."""
        names = set(present)
        self._served = {name: tokens for name, tokens in self._served.items() if name in names}

    def key(self, answer: Answer) -> tuple[int, bool, float, int]:
        """Sorts answers by urgency; one that was begun before goes first in its class."""
        return (
            answer.rank,
            answer.completion_tokens == 0,
            self._served.get(answer.person, 0.0),
            answer.order,
        )


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
