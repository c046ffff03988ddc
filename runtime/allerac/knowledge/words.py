"""The words of a question that say what it is about."""

import re
from typing import Final

from .languages import LITTLE_WORDS
from .plain import plain

MAX_WORDS: Final = 16
STEM_FROM: Final = 6
"""Words of as many letters also count without their last two, which is where languages inflect."""

LITTLE: Final = frozenset(word for words in LITTLE_WORDS.values() for word in words.split())


def words_of(question: str) -> list[str]:
    """Return the telling words of `question`, small and without accents; all if none tells."""
    found = list(dict.fromkeys(re.findall(r"\w+", plain(question))))
    telling = [word for word in found if word not in LITTLE]
    return (telling or found)[:MAX_WORDS]


def words_in(text: str) -> frozenset[str]:
    """Return the words of a text that is `plain`, but for those that every text has."""
    return frozenset(re.findall(r"\w+", text)) - LITTLE


def stem(word: str) -> str:
    """Return what a word has in common with its other forms."""
    return word[:-2] if len(word) >= STEM_FROM else word


def coverage(text: str, words: list[str]) -> float:
    """Return which share of `words` occurs in `text`, in any form."""
    return covered(plain(text), words)


def covered(text: str, words: list[str]) -> float:
    """Return the same as `coverage` for a text that is `plain` already."""
    if not words:
        return 0.0
    hit = sum(re.search(rf"\b{re.escape(stem(word))}", text) is not None for word in words)
    return hit / len(words)
