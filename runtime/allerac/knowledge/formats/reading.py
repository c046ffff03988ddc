"""A file of any kind as pieces of text."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import BinaryIO, Final

from allerac.knowledge.formats.piece import Page, Part, Piece, TextBudget, cut
from allerac.knowledge.formats.sniff import Kind
from allerac.knowledge.reasons import Unreadable

Reader = Callable[[BinaryIO], Iterator[Part]]

READERS: Final[dict[Kind, tuple[str, str]]] = {
    "pdf": ("pdf", "read"),
    "docx": ("office", "read_docx"),
    "pptx": ("office", "read_pptx"),
    "xlsx": ("office", "read_xlsx"),
    "epub": ("html", "read_epub"),
    "html": ("html", "read_html"),
    "csv": ("text", "read_csv"),
    "md": ("text", "read_markdown"),
    "txt": ("text", "read_text"),
}
"""Module and function of each kind; only the one that is needed is imported."""


def reader_of(kind: Kind) -> Reader:
    """Return what reads documents of `kind`, with all that it imports."""
    module, name = READERS[kind]
    reader: Reader = getattr(import_module(f"allerac.knowledge.formats.{module}"), name)
    return reader


def read_pieces(file: BinaryIO, reader: Reader) -> Iterator[Page | Piece]:
    """Yield what stands in `file`. Raises `Unreadable`, also where nothing does."""
    budget, found, pictures = TextBudget(), False, False
    for part in reader(file):
        if isinstance(part, Page):
            yield part
            continue
        pictures = pictures or not part.text
        for piece in cut(part):
            budget.spend(piece.text)
            found = True
            yield piece
    if not found:
        raise Unreadable("scan" if pictures and reader.__module__.endswith(".pdf") else "no_text")
