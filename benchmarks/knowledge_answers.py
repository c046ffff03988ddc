"""What the chat makes of a household's papers: words, cited passages, and what it cannot know.

    .venv/bin/python -m benchmarks.knowledge_answers --questions 60

A whole box, asked over HTTP as a browser asks: the papers are added, and each question begins a
conversation of its own. Questions are of the second half (`benchmarks.knowledge_corpus.halves`);
beside the papers lie notes of one statement each, as plain as the demonstration model was trained
on, of which one is asked for each.
"""

import argparse
import asyncio
import random
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from benchmarks.knowledge_corpus import FILLER, Asked, Paper, halves, make_corpus, pairs
from tests.claimed_box import ClaimedBox, Owner, claimed_box
from tests.faults.papers import FILES, add

CITED: Final = re.compile(r"\[(\d{1,2})\]")
"""What a browser shows as a link to a source."""
KNOWS_NOT: Final = re.compile(r"do(?:es)? not (?:know|say)|don't know", re.I)
TAKEN_IN_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Answered:
    """A question, what was said, and the texts that the model had been given, in their order."""

    asked: Asked
    said: str
    sources: tuple[tuple[str, str], ...]

    @property
    def was_found(self) -> bool:
        """The passage with the answer was among those given."""
        return any(self._is_right(source) for source in self.sources)

    @property
    def is_right(self) -> bool:
        """The value that was asked for stands in what was said."""
        return value_of(self.asked.answer) in re.findall(r"\w+", self.said)

    @property
    def cited(self) -> tuple[int, ...]:
        """The numbers in brackets."""
        return tuple(int(number) for number in CITED.findall(self.said))

    @property
    def cites_rightly(self) -> bool:
        """All numbers are those of passages in which the answer stands."""
        places = [at for at in self.cited if 1 <= at <= len(self.sources)]
        return len(places) == len(self.cited) and all(
            self._is_right(self.sources[at - 1]) for at in places
        )

    @property
    def is_refused(self) -> bool:
        """It was said that no document has it: beside the answer, or by the model in words."""
        return not self.sources or KNOWS_NOT.search(self.said) is not None

    def _is_right(self, source: tuple[str, str]) -> bool:
        name, text = source
        return name in self.asked.papers and self.asked.answer in text


def value_of(statement: str) -> str:
    """Return what a statement of the corpus tells: its name, its sum or its year."""
    numbers: list[str] = re.findall(r"\d+", statement)
    names: list[str] = re.findall(r"(?<=\s)[A-Z]\w+", statement)
    return (numbers or names or [statement])[-1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=60, help="of each sort, as far as they go")
    parser.add_argument("--papers", type=int, default=None, help="leave out those after so many")
    parser.add_argument("--notes", type=int, default=40)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        claimed_box(Path(folder), profile="vm") as box,
    ):
        asyncio.run(_measure(box, arguments))


async def _measure(box: ClaimedBox, arguments: argparse.Namespace) -> None:
    papers, questions = make_corpus()
    notes, noted = make_notes(arguments.notes)
    papers, count = [*papers[: arguments.papers], *notes], arguments.questions
    sample = halves(questions)[1]
    answerable = [asked for asked in sample if asked.answer][:count]
    unanswerable = [asked for asked in sample if not asked.answer][:count]
    async with box.owner() as owner:
        await _take_in(owner, {paper.name: paper.content for paper in papers})
        told = [await _ask(owner, asked, at) for at, asked in enumerate(answerable)]
        untold = [await _ask(owner, asked, at) for at, asked in enumerate(unanswerable, len(told))]
        plain = [await _ask(owner, asked, at) for at, asked in enumerate(noted, 1000)]
    print(f"## Answers, {len(papers)} papers and notes\n")
    print("| | Share | Of |\n| --- | --- | --- |")
    rows = _of_untold(untold)
    for wording in ("other words", "same words"):
        those = [each for each in told if each.asked.wording == wording]
        rows = [*_of_told(f"papers, {wording}", those), *rows]
    for name, hits, of in (*rows, *_of_told("notes", plain)):
        print(f"| {name} | {hits / of if of else 0:.3f} | {of} |")


def make_notes(count: int) -> tuple[list[Paper], list[Asked]]:
    """Return notes of one statement each, by seed, and a question for each."""
    dice = random.Random(9)  # noqa: S311 - seeded
    notes, asked = list[Paper](), list[Asked]()
    for number, (thing, place) in enumerate(pairs()[0][:: max(1, 220 // max(1, count))][:count]):
        key = f"{thing['en'][0]} code of {place['en']}"
        fact = f"The {key} is {dice.randrange(1000, 9999)}."
        text = " ".join([dice.choice(FILLER["en"]), fact, dice.choice(FILLER["en"])])
        name = f"note-{number:03}.txt"
        notes.append(Paper(name, text.encode(), (fact,)))
        asked.append(Asked(f"What is the {key}?", "same words", fact, frozenset({name})))
    return notes, asked


def _of_told(what: str, told: Sequence[Answered]) -> list[tuple[str, int, int]]:
    given = [each for each in told if each.was_found]
    right = [each for each in given if each.is_right]
    citing = [each for each in right if each.cited]
    return [
        (f"{what}: passage given", len(given), len(told)),
        (f"{what}: of these, the right words", len(right), len(given)),
        (f"{what}: of these, with a citation", len(citing), len(right)),
        (
            f"{what}: of these, the right one",
            sum(each.cites_rightly for each in citing),
            len(citing),
        ),
    ]


def _of_untold(untold: Sequence[Answered]) -> list[tuple[str, int, int]]:
    empty = sum(not each.sources for each in untold)
    return [
        ("unanswerable: told that no document has it", empty, len(untold)),
        ("the same, or the model says so", sum(each.is_refused for each in untold), len(untold)),
    ]


async def _take_in(owner: Owner, papers: dict[str, bytes]) -> None:
    for name, content in papers.items():
        await add(owner.client, name, content)
    async with asyncio.timeout(TAKEN_IN_SECONDS):
        while True:
            states: Counter[str] = Counter()
            cursor: str | None = ""
            while cursor is not None:
                query = {"limit": "200", **({"cursor": cursor} if cursor else {})}
                page = (await owner.client.get(FILES, params=query)).raise_for_status().json()
                states.update(file["state"] for file in page["items"])
                cursor = page["next_cursor"]
            if states["failed"]:
                raise SystemExit(f"not read: {states}")
            if states["ready"] == len(papers):
                return
            await asyncio.sleep(0.5)


async def _ask(owner: Owner, asked: Asked, at: int) -> Answered:
    conversation = await owner.conversation()
    _, answer = await owner.say(conversation, asked.question, client_id=f"question {at}")
    await owner.events(answer)
    said: str = (await owner.message(conversation, answer))["content"]
    path = f"/api/v1/knowledge/conversations/{conversation}/sources"
    found: httpx.Response = await owner.client.get(path)
    items = found.raise_for_status().json()["items"]
    sources = items[0]["sources"] if items else []
    return Answered(asked, said, tuple((each["file_name"], each["text"]) for each in sources))


if __name__ == "__main__":
    main()
