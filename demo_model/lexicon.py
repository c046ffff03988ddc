"""The vocabulary that generated text draws from, split into a training and a held-out half.

Every list is split by the CRC-32 of its entries, so that an evaluation asks about words, names,
things and verbs that no training text contains.
"""

import random
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

from demo_model import words

Entry = TypeVar("Entry")

VOCABULARY = Path(__file__).with_name("vocabulary")
CONSONANTS = (*"bcdfghjklmnprstvwz", "br", "dr", "fl", "gr", "kl", "pl", "sk", "st", "tr")
VOWELS = (*"aeiou", "ai", "ea", "oo")
ENDINGS = ("", *"nrsltmx", "nd")


def is_held_out(entry: str) -> bool:
    """Whether ``entry`` is kept for evaluation: one in five, by the CRC-32 of its text."""
    return zlib.crc32(entry.encode()) % 5 == 0


@cache
def _half(kind: str, held_out: bool) -> tuple[str, ...]:
    entries = words.read() if kind == "words" else _lines(VOCABULARY / f"{kind}.txt")
    return tuple(entry for entry in entries if is_held_out(entry) == held_out)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


class WordSource(random.Random):
    """A seeded random source that also draws words from one half of the vocabulary."""

    def __init__(self, seed: int, *, held_out: bool = False) -> None:
        super().__init__(seed)
        self.held_out = held_out

    def chance(self, probability: float) -> bool:
        """True with ``probability``."""
        return self.random() < probability

    def pick(self, entries: Sequence[Entry]) -> Entry:
        """One of ``entries``."""
        return entries[int(self.random() * len(entries))]

    def word(self) -> str:
        """A plain English word in lower case."""
        return self.pick(_half("words", self.held_out))

    def listed_thing(self) -> str:
        """Something a household or an office knows about, such as ``wifi password``."""
        return self.pick(_half("things", self.held_out))

    def object(self) -> str:
        """Something that is looked after, such as ``boiler``; now and then any word."""
        return self.pick(_half("objects", self.held_out)) if self.chance(0.7) else self.word()

    def verb(self) -> tuple[str, str, str]:
        """Third person, past participle and infinitive; now and then of an invented verb."""
        if self.chance(0.8):
            third, participle, infinitive = self.pick(_half("verbs", self.held_out)).split(" ")
            return third, participle, infinitive
        stem = self.syllables()
        return f"{stem}s", f"{stem}ed", stem

    def syllables(self) -> str:
        """An invented word of one or two syllables."""
        count = self.choice((1, 2, 2))
        heads = "".join(self.pick(CONSONANTS) + self.pick(VOWELS) for _ in range(count))
        return f"{heads}{self.pick(ENDINGS)}"

    def name(self) -> str:
        """A first name, an invented name or a word with a capital."""
        draw = self.random()
        if draw < 0.4:
            return self.pick(_half("names", self.held_out))
        return (self.syllables() if draw < 0.65 else self.word()).capitalize()

    def digits(self, least: int, most: int) -> str:
        """Between ``least`` and ``most`` decimal digits."""
        return "".join(self.pick("0123456789") for _ in range(self.randint(least, most)))
