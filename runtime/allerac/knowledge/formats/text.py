"""Plain text, Markdown and tables of text."""

import csv
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from allerac.knowledge.formats.piece import Block, Part
from allerac.knowledge.formats.sniff import decode, delimiter_of

MAX_CELL_CHARACTERS: Final = 131_072
MAX_COLUMNS: Final = 1_000
_HEADING: Final = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_LINK: Final = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_SIGNS: Final = re.compile(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}")


def read_text(file: BinaryIO) -> Iterator[Part]:
    """Yield the paragraphs."""
    for paragraph in re.split(r"\n\s*\n", decode(file.read())):
        yield Block(paragraph)


def read_markdown(file: BinaryIO) -> Iterator[Part]:
    """Yield the paragraphs under their headings; addresses of links are left out."""
    trail: list[tuple[int, str]] = []
    lines: list[str] = []
    fenced = False
    for line in decode(file.read()).splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        heading = None if fenced else _HEADING.match(line)
        if heading is None and line.strip():
            lines.append(line if fenced else plain(line))
            continue
        yield from _paragraph(lines, trail)
        lines = []
        if heading is not None:
            trail = under(trail, len(heading[1]), plain(heading[2]))
    yield from _paragraph(lines, trail)


def under(trail: list[tuple[int, str]], level: int, title: str) -> list[tuple[int, str]]:
    """Return the headings above what follows a heading of `level`."""
    return [*(item for item in trail if item[0] < level), (level, title)]


def path_of(trail: list[tuple[int, str]]) -> str:
    """Return the headings as one line."""
    return " › ".join(title for _, title in trail if title)  # noqa: RUF001 - the sign is meant


def plain(line: str) -> str:
    """Return a line of Markdown without its signs."""
    return _SIGNS.sub("", _LINK.sub(r"\1", line))


def read_csv(file: BinaryIO) -> Iterator[Part]:
    """Yield each row with the names of its columns."""
    text = decode(file.read())
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    rows = csv.reader(text.splitlines(), delimiter=delimiter_of(text) or ",")
    yield from table(rows, "")


def table(rows: Iterator[list[str]], heading: str, page: int | None = None) -> Iterator[Part]:
    """Yield "column: value" for the cells of each row; the first row names the columns."""
    names: list[str] = []
    for row in rows:
        cells = [cell.strip() for cell in row[:MAX_COLUMNS]]
        if not any(cells):
            continue
        if not names:
            names = cells
            yield Block(" | ".join(filter(None, cells)), heading, page)
            continue
        named = zip([*names, *[""] * (len(cells) - len(names))], cells, strict=False)
        told = [f"{name}: {cell}" if name else cell for name, cell in named if cell]
        yield Block("; ".join(told), heading, page)


def _paragraph(lines: list[str], trail: list[tuple[int, str]]) -> Iterator[Part]:
    if lines:
        yield Block("\n".join(lines), path_of(trail))
