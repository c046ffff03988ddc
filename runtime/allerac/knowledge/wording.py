"""Which passages say what the words of a question mean, whatever words they say it in.

A passage's one vector is of all that it says; what a question asks for may be one word of it. So
each word of the question looks for the word of the passage that is nearest to it (late interaction:
Khattab and Zaharia, "ColBERT", SIGIR 2020; here with the vectors of words alone, which are few).
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Protocol

from .words import stem

APART: Final = 2.5
"""Words mean the same when they are nearer than usual by so many standard deviations.

What is usual is taken from the passages themselves, so that it holds for any embedding model.
"""


class Words(Protocol):
    """The vectors of words; see `allerac.storage.passage_words.WordStore`."""

    async def known(self, model_id: str, words: Iterable[str]) -> Mapping[str, bytes]:
        """Return the vectors of those of `words` that have one."""

    async def near(
        self, model_id: str, vectors: Mapping[str, bytes], words: Iterable[str]
    ) -> Mapping[str, Mapping[str, float]]:
        """Return how near each known one of `words` is to each of `vectors`, by their words."""


def order_by_wording(
    words: Sequence[str],
    passages: Sequence[Collection[str]],
    near: Mapping[str, Mapping[str, float]],
) -> list[int]:
    """Return the positions of `passages`, which are words each, the best for `words` first.

    `near` has, for each of `words` with a vector, how near other words are to it. What most of the
    passages say counts little.
    """
    scores = [0.0] * len(passages)
    every = set[str]().union(*passages)
    for word in words:
        meant = _same(word, every, near.get(word, {}))
        found = [not meant.isdisjoint(has) for has in passages]
        weight = math.log(1 + len(passages) / (1 + sum(found)))
        scores = [score + weight * is_said for score, is_said in zip(scores, found, strict=True)]
    return sorted(range(len(passages)), key=lambda at: (-scores[at], at))


def _same(word: str, every: Collection[str], near: Mapping[str, float]) -> frozenset[str]:
    """Return the words that mean the same as `word`, its own forms among them."""
    floor, begin = _floor(near.values()), stem(word)
    forms = (other for other in every if other.startswith(begin))
    return frozenset(forms).union(other for other, cosine in near.items() if cosine >= floor)


def _floor(cosines: Collection[float]) -> float:
    if not cosines:
        return math.inf
    mean = math.fsum(cosines) / len(cosines)
    variance = math.fsum(cosine * cosine for cosine in cosines) / len(cosines) - mean * mean
    return mean + APART * math.sqrt(max(0.0, variance))
