"""Guesses what an answer says next, so that several tokens are checked in one step.

An answer from a document says much that stands in its prompt already. Where it has just said three
tokens in a row that were said before, what followed then is computed along; as much of it as the
sampler chooses by itself is kept. What is said is not changed by it, only how soon.
Source: prompt lookup decoding (Saxena, 2023), speculative decoding without a second model.
"""

from collections.abc import Callable, Sequence
from typing import Final

RECOGNISED: Final = 3
"""Tokens in a row after which a place counts as the same."""
GUESSED: Final = 3
"""Tokens: with the one that is certain they are a whole group of rows (`pace.ROWS_AT_ONCE`)."""
HOPE: Final = 0.75
"""Share of right guesses that is expected before any is checked."""
_WEIGHT: Final = 0.2  # of the newest guess
_FORGIVENESS: Final = 0.02  # each time that none is made, so that a new passage gets its chance
AGAIN: Final = 32
"""So many guesses that do not seem to pay are left out before one is made all the same: what a
step costs was perhaps measured while the machine had other work."""


class Quoting:
    """What followed where in one conversation, and how often that was right in this answer."""

    def __init__(self) -> None:
        self._followed: dict[tuple[int, ...], int] = {}
        self._known = RECOGNISED
        self._right = HOPE
        self._left_out = 0

    def guess(self, tokens: Sequence[int], most: int, cost: Callable[[int], float]) -> list[int]:
        """Return `most` tokens that may follow `tokens`; none where it does not pay.

        A step of so many rows takes `cost` times as long as one of one row.
        """
        for at in range(self._known, len(tokens)):
            self._followed[tuple(tokens[at - RECOGNISED : at])] = at
        self._known = max(self._known, len(tokens))
        place = self._followed.get(tuple(tokens[-RECOGNISED:]))
        if place is None or not most:
            return []
        if sum(self._right**n for n in range(most + 1)) < cost(most + 1):
            self._right += _FORGIVENESS * (HOPE - self._right)
            self._left_out += 1
            if self._left_out % AGAIN:
                return []
        found = list(tokens[place : place + most])
        while len(found) < most:  # the place reaches up to here: it goes round in a circle
            found += found[: most - len(found)]
        return found

    def checked(self, guessed: int, right: int) -> None:
        """Of `guessed` tokens the first `right` were what the sampler chose."""
        share = 1.0 if right == guessed else right / (right + 1)
        self._right += _WEIGHT * (share - self._right)
