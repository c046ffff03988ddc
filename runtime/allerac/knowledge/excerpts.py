"""The part of a passage that is worth the time of reading it."""

import re
from typing import Final

from .words import coverage

_SENTENCE: Final = re.compile(r"[^\n.!?]*(?:[.!?]+(?=\s|$)|[.!?]+|\n|$)\s*")


def excerpt(text: str, words: list[str], characters: int) -> str:
    """Return up to `characters` of `text` around where most of `words` stand."""
    if len(text) <= characters:
        return text
    sentences = [match[0] for match in _SENTENCE.finditer(text) if match[0]]
    best = max(range(len(sentences)), key=lambda at: (coverage(sentences[at], words), -at))
    first = last = best
    size = len(sentences[best])
    while True:
        before = len(sentences[first - 1]) if first else characters
        after = len(sentences[last + 1]) if last + 1 < len(sentences) else characters
        if size + after <= characters:
            last, size = last + 1, size + after
        elif size + before <= characters:
            first, size = first - 1, size + before
        else:
            break
    return "".join(sentences[first : last + 1]).strip()[:characters]


def shingles(text: str) -> frozenset[str]:
    """Return the runs of three words of `text`; alike texts share most of them."""
    words = re.findall(r"\w+", text.lower())
    return frozenset(" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2)))


def likeness(first: frozenset[str], second: frozenset[str]) -> float:
    """Return the share of runs that both have of those that the shorter has."""
    smaller = min(len(first), len(second))
    return len(first & second) / smaller if smaller else 0.0
