"""Every sentence of the page, one JSON file for each language of the web application."""

import json
from pathlib import Path

HERE = Path(__file__).parent
DEFAULT = "en"


class Words:
    """The sentences of one language."""

    def __init__(self, language: str, sentences: dict[str, str]) -> None:
        self.language = language
        self._sentences = sentences

    def __call__(self, key: str, **facts: object) -> str:
        """Return the sentence of `key` with its facts filled in."""
        return self._sentences[key].format(**facts)

    def bytes(self, count: int) -> str:
        """Return a number of bytes as a person reads it."""
        amount, unit = float(count), "B"
        for larger in ("kB", "MB", "GB", "TB"):
            if amount < 1000:
                break
            amount, unit = amount / 1000, larger
        told = f"{amount:.1f}" if amount < 10 and unit != "B" else f"{amount:.0f}"
        return f"{told.replace('.', ',') if self.language == 'de' else told} {unit}"


def load_words() -> dict[str, Words]:
    """Return the words of every language."""
    found = {}
    for file in sorted(HERE.glob("*.json")):
        found[file.stem] = Words(file.stem, json.loads(file.read_text(encoding="utf-8")))
    return found


def choose(languages: dict[str, Words], accept: str) -> Words:
    """Return the words for an Accept-Language header, RFC 9110 12.5.4; its weights are in order."""
    for wish in accept.split(","):
        tag = wish.split(";")[0].strip().lower().split("-")[0]
        if tag in languages:
            return languages[tag]
    return languages[DEFAULT]
