"""Passages: how statements are laid out as documents in a prompt."""

from dataclasses import dataclass

from demo_model import facts, values
from demo_model.lexicon import WordSource

HEADINGS = (
    *("",) * 5,
    "Context:\n",
    "Context:\n",
    "Context: ",
    "Passages:\n",
    "Documents:\n",
    "Sources:\n",
    "Reference:\n",
    "Here are the passages:\n",
    "Relevant documents:\n",
)
FILLERS = (
    "This page was last updated in {year}.",
    "Keep this document in a safe place.",
    "If you have questions, ask the office.",
    "The weather was fine that day.",
    "Press the button twice to restart.",
    "See the manual for more information.",
    "Everyone in the house should read this.",
    "Thank you for your visit.",
)
FILE_LAYOUTS = (
    "[{n}] {file}: {text}",
    "[{n}] ({file}) {text}",
    "[{n}] ({file}) {text}",
    "### {file}\n{text}",
    "Source {n} ({file}):\n{text}",
    '<passage id="{n}">\n{text}\n</passage>',
    "# {title}\n\n{text}",
    "[{n}] {file}\n{text}",
)


@dataclass(frozen=True, slots=True)
class Passages:
    """``text`` as it stands in a prompt; ``citations`` has " [n]" or "" for each statement."""

    text: str
    citations: list[str]


def render(source: WordSource, statements: list[str]) -> Passages:
    """``statements`` with now and then a filler, grouped and laid out in one of many ways."""
    groups, sizes = _group(source, statements)
    draw = source.random()
    cited = draw < 0.4
    numbers = _numbers(source, len(groups))
    if draw < 0.15:
        layout = source.pick(FILE_LAYOUTS)
        cited = layout.startswith("[")
        groups = [
            _in_file(source, layout, n, text) for n, text in zip(numbers, groups, strict=True)
        ]
    elif draw < 0.4:
        groups = [f"[{n}] {text}" for n, text in zip(numbers, groups, strict=True)]
    elif draw < 0.5:
        groups = [f"- {text}" for text in groups]
    gap = source.pick(("\n", "\n", "\n\n", " ") if draw >= 0.5 else ("\n", "\n", "\n\n"))
    citations = [
        f" [{n}]" if cited else ""
        for n, size in zip(numbers, sizes, strict=True)
        for _ in range(size)
    ]
    return Passages(source.pick(HEADINGS) + gap.join(groups), citations)


def _numbers(source: WordSource, count: int) -> list[int]:
    """1, 2, 3 and so on; in one document of four any different numbers."""
    if source.chance(0.75):
        return list(range(1, count + 1))
    return source.sample(range(1, max(10, 2 * count)), count)


def _group(source: WordSource, statements: list[str]) -> tuple[list[str], list[int]]:
    """The texts of the passages and how many statements are in each."""
    groups: list[str] = []
    sizes: list[int] = []
    position = 0
    while position < len(statements):
        size = source.choice((1, 1, 1, 2, 3))
        text = " ".join(statements[position : position + size])
        sizes.append(len(statements[position : position + size]))
        position += size
        if source.chance(0.3):
            filler = _filler(source)
            text = f"{text} {filler}" if source.chance(0.5) else f"{filler} {text}"
        groups.append(text)
    return groups, sizes


def _filler(source: WordSource) -> str:
    if source.chance(0.4):
        return source.pick(FILLERS).format(year=source.randrange(1990, 2035))
    return facts.capitalised(values.words(source, 3, 8)) + "."


def _in_file(source: WordSource, layout: str, number: int, text: str) -> str:
    file = f"{source.word()}.{source.pick(('pdf', 'txt', 'md', 'docx'))}"
    title = facts.capitalised(values.words(source, 1, 2))
    return layout.format(n=number, file=file, text=text, title=title)
