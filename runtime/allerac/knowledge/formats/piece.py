"""What reading a document gives: pieces of text, each short, with its heading and page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from allerac.knowledge.reasons import Unreadable

PIECE_CHARACTERS: Final = 300
TEXT_CHARACTERS: Final = 20_000_000
HEADING_CHARACTERS: Final = 200
_SENTENCE_END: Final = re.compile(r"(?<=[.!?…。])\s+")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a row, an item; `page` counts from 1, None where there are no pages."""

    text: str
    heading: str = ""
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page has begun; `count` is how many there are."""

    number: int
    count: int


Part = Block | Page


@dataclass(frozen=True, slots=True)
class Piece:
    """Up to 300 characters of one block; `begins` is true for the first of its block."""

    text: str
    heading: str
    page: int | None
    begins: bool


def cut(block: Block) -> Iterator[Piece]:
    """Cut a block at ends of sentences, then between words, then anywhere."""
    begins, heading = True, clean(block.heading)[:HEADING_CHARACTERS]
    for line in clean(block.text).splitlines():
        for sentence in _SENTENCE_END.split(line.strip()):
            for text in _short(sentence):
                yield Piece(text, heading, block.page, begins)
                begins = False
        begins = True


def clean(text: str) -> str:
    """Take out control characters and what is no character."""
    return _CONTROL.sub(" ", text)


def _short(sentence: str) -> Iterator[str]:
    start = 0
    while start < len(sentence):
        end = start + PIECE_CHARACTERS
        if end < len(sentence):
            space = sentence.rfind(" ", start, end)
            end = space if space > start else end
        if text := sentence[start:end].strip():
            yield text
        start = end


class TextBudget:
    """Counts characters; raises `Unreadable` beyond what the box takes at once."""

    def __init__(self, characters: int = TEXT_CHARACTERS) -> None:
        self._left = characters

    def spend(self, text: str) -> None:
        """Take the length of `text` from the budget."""
        self._left -= len(text)
        if self._left < 0:
            raise Unreadable("too_long")
