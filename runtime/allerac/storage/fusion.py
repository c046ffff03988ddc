"""Reciprocal rank fusion: one ranking of several, without comparing their scores.

Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual rank
learning methods" (SIGIR 2009). Their constant is 60, for lists of a thousand; where only the first
five count, what one search is sure of must not be outvoted by what both half know.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

RANK_CONSTANT: Final = 10
Item = TypeVar("Item", int, str)


def fuse(rankings: Iterable[Sequence[Item]]) -> list[tuple[Item, float]]:
    """Return every item with its score, best first; equal ones in the order of their names."""
    scores: dict[Item, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1 / (RANK_CONSTANT + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
