"""What a person asks to remember, in their own words: "Remember that …"."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Final

from .memory_phrases import PHRASES, Phrases

MOST_CHARACTERS: Final = 600
"""Who writes more wants an answer; it also bounds the work of the patterns below."""
APOSTROPHES: Final = str.maketrans("\u2019\u02bc\u00b4`", "''''")
"""As phones write them."""


def asked_to_remember(message: str) -> str | None:
    """Return the fact that `message` asks to keep; None where it asks for something else."""
    return None if message.rstrip().endswith("?") else _fact_in(message, _ASKED)


def worth_proposing(message: str) -> str | None:
    """Return a fact that the person says about themselves, to be confirmed by them."""
    if "?" in message or "\n" in message.strip() or _fact_in(message, _PASSING):
        return None
    return _fact_in(message, _ABOUT_ONESELF)


def _fact_in(message: str, patterns: Iterable[re.Pattern[str]]) -> str | None:
    """Return the fact of the language that knows most of the words before it."""
    line = " ".join(message.split())
    if len(line) > MOST_CHARACTERS:
        return None
    line = unicodedata.normalize("NFC", line)
    read = "".join(map(_plainly, line.translate(APOSTROPHES)))
    found = [match for pattern in patterns if (match := pattern.fullmatch(read))]
    facts = [line[match.start("fact") : match.end("fact")] for match in found]
    return min(facts, key=len, default=None)


def _plainly(character: str) -> str:
    """Return the character without its accent: always one, so that places stay the same."""
    return unicodedata.normalize("NFD", character)[0]


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(map(re.escape, words)) + ")"


def _asking(phrases: Phrases) -> str:
    please = _any(phrases.please)
    leads = "|".join(
        re.escape(word) if word.endswith("'") else rf"{re.escape(word)}[ ,:]+"
        for word in phrases.that
    )
    return (
        rf"(?:{please},? )?{_any(phrases.remember)}(?:,? {please})?[ ,:]+(?:{leads})?"
        r"(?P<fact>\S.{2,480}?) ?[.!]?"
    )


def _telling(phrases: Phrases) -> str:
    return rf"(?P<fact>{_any(phrases.oneself)} .{{3,200}}?) ?[.!]"


def _in_passing(phrases: Phrases) -> str:
    return rf"(?P<fact>{_any(phrases.passing)}\b.*)"


def _patterns(written: Callable[[Phrases], str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(written(phrases), re.I) for phrases in PHRASES.values())


_ASKED: Final = _patterns(_asking)
_ABOUT_ONESELF: Final = _patterns(_telling)
_PASSING: Final = _patterns(_in_passing)
