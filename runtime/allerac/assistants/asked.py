"""What a person asks to remember, in their own words: "Remember that …"."""

import re
from typing import Final

_ASKED: Final = re.compile(
    r"^\s*(?:please\s+|bitte\s+)?(?:remember|keep in mind|note|merke?(?:\s+dir)?|"
    r"recuerda|souviens-toi|retiens|ricorda|lembra(?:-te)?)"
    r"(?:\s+(?:that|dass|que|che|bitte))?\s*[:,]?\s+(?P<fact>\S.{2,480}?)\s*[.!]?\s*$",
    re.I | re.S,
)
_ABOUT_ONESELF: Final = re.compile(
    r"^\s*(?P<fact>(?:my|our|i am|i'm|i live|i work|i like|i have|mein|meine|unser|unsere|"
    r"ich bin|ich wohne|ich arbeite|ich mag|ich habe)\s[^?\n]{3,200}?)\s*[.!]\s*$",
    re.I,
)


def asked_to_remember(message: str) -> str | None:
    """Return the fact that `message` asks to keep; None where it asks for something else."""
    found = _ASKED.match(message)
    return None if found is None or message.rstrip().endswith("?") else _line(found["fact"])


def worth_proposing(message: str) -> str | None:
    """Return a fact that the person says about themselves, to be confirmed by them."""
    found = _ABOUT_ONESELF.match(message)
    return None if found is None else _line(found["fact"])


def _line(fact: str) -> str:
    return " ".join(fact.split())
