"""Passages: how statements are laid out as documents in a prompt."""

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


def render(source: WordSource, statements: list[str]) -> str:
    """``statements`` with now and then a filler, grouped and laid out in one of many ways."""
    groups = _group(source, statements)
    draw = source.random()
    if draw < 0.15:
        layout = source.pick(FILE_LAYOUTS)
        groups = [_in_file(source, layout, n, text) for n, text in enumerate(groups, 1)]
    elif draw < 0.4:
        groups = [f"[{n}] {text}" for n, text in enumerate(groups, 1)]
    elif draw < 0.5:
        groups = [f"- {text}" for text in groups]
    gap = source.pick(("\n", "\n", "\n\n", " ") if draw >= 0.5 else ("\n", "\n", "\n\n"))
    return source.pick(HEADINGS) + gap.join(groups)


def _group(source: WordSource, statements: list[str]) -> list[str]:
    groups, position = [], 0
    while position < len(statements):
        size = source.choice((1, 1, 1, 2, 3))
        text = " ".join(statements[position : position + size])
        position += size
        if source.chance(0.3):
            filler = _filler(source)
            text = f"{text} {filler}" if source.chance(0.5) else f"{filler} {text}"
        groups.append(text)
    return groups


def _filler(source: WordSource) -> str:
    if source.chance(0.4):
        return source.pick(FILLERS).format(year=source.randrange(1990, 2035))
    return facts.capitalised(values.words(source, 3, 8)) + "."


def _in_file(source: WordSource, layout: str, number: int, text: str) -> str:
    file = f"{source.word()}.{source.pick(('pdf', 'txt', 'md', 'docx'))}"
    title = facts.capitalised(values.words(source, 1, 2))
    return layout.format(n=number, file=file, text=text, title=title)
