"""Cutting a document into passages: up to 512 tokens, 50 of them shared with the one before.

A passage ends where a section or a page ends when it is long enough to stand alone; it shares
nothing across such a border, so that it can be shown where it stands.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from allerac.storage.passages import Chunk

from .languages import language_of

CHUNK_TOKENS: Final = 512
OVERLAP_TOKENS: Final = 50
ALONE_TOKENS: Final = 32
"""Less than this is joined with what follows, whatever ends."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A piece of text and its length in tokens of the embedding model."""

    text: str
    heading: str
    page: int | None
    begins: bool
    tokens: int


def chunk(pieces: Iterable[Measured]) -> Iterator[Chunk]:
    """Yield passages in the order of the document; a piece is never cut."""
    position, held, shared = 0, list[Measured](), 0
    for piece in pieces:
        if held and _ends_before(piece, held, shared):
            yield _joined(position, held, shared)
            position += 1
            held = _tail(held) if _goes_on(piece, held) else []
            if sum(each.tokens for each in held) + piece.tokens > CHUNK_TOKENS:
                held = []
            shared = len(held)
        held.append(piece)
    if len(held) > shared:
        yield _joined(position, held, shared)


def _ends_before(piece: Measured, held: list[Measured], shared: int) -> bool:
    tokens = sum(each.tokens for each in held)
    if tokens + piece.tokens > CHUNK_TOKENS:
        return len(held) > shared
    own = sum(each.tokens for each in held[shared:])
    return own >= ALONE_TOKENS and not _goes_on(piece, held)


def _goes_on(piece: Measured, held: list[Measured]) -> bool:
    return piece.heading == held[-1].heading and piece.page == held[-1].page


def _tail(held: list[Measured]) -> list[Measured]:
    """Return the last pieces of up to 50 tokens."""
    tail: list[Measured] = []
    room = OVERLAP_TOKENS
    for piece in reversed(held):
        room -= piece.tokens
        if room < 0:
            break
        tail.insert(0, piece)
    return tail


def _joined(position: int, held: list[Measured], shared: int) -> Chunk:
    own = held[shared:]
    text = held[0].text
    for piece in held[1:]:
        text += ("\n" if piece.begins else " ") + piece.text
    pages = [piece.page for piece in own if piece.page is not None]
    return Chunk(
        position=position,
        content=text,
        heading=own[0].heading,
        first_page=min(pages, default=None),
        last_page=max(pages, default=None),
        tokens=sum(piece.tokens for piece in held),
        language=language_of(text),
    )
