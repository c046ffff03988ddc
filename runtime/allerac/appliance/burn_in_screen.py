"""The screen of a unit in the factory: what is tested now, and then whether it is good."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from .burn_in_view import BurnInView
from .screen import ADDRESSES, INDENT, Terminal, plain

LETTERS: Final = {
    "A": (" ██ ", "█  █", "████", "█  █", "█  █"),
    "D": ("███ ", "█  █", "█  █", "█  █", "███ "),
    "E": ("████", "█   ", "███ ", "█   ", "████"),
    "F": ("████", "█   ", "███ ", "█   ", "█   "),
    "I": ("███", " █ ", " █ ", " █ ", "███"),
    "L": ("█   ", "█   ", "█   ", "█   ", "████"),
    "P": ("███ ", "█  █", "███ ", "█   ", "█   "),
    "S": ("████", "█   ", "████", "   █", "████"),
}
GAP: Final = "  "
INTERRUPTED: Final = (
    "The burn-in ended without a verdict. Switch the unit off and on: it begins again."
)


def draw_burn_in(view: BurnInView, addresses: Sequence[str], terminal: Terminal) -> list[str]:
    """Return the lines to show; `addresses` are those at which a station collects."""
    width = terminal.columns - len(INDENT) * 2
    lines = ["", *textwrap.wrap(plain(f"Allerac {view.serial}"), width), ""]
    if view.state == "running":
        facts = list(_course(view))
    elif view.state == "interrupted":
        facts = [INTERRUPTED]
    else:
        lines += _word(view.state.upper(), width, terminal)
        facts = ["", *_findings(view), "", *_what_to_do(view, addresses)]
    for fact in facts:
        lines += textwrap.wrap(plain(fact), width, subsequent_indent="  ") or [""]
    return [f"{INDENT}{line}".rstrip() for line in lines[: terminal.rows - 1]]


def _course(view: BurnInView) -> Iterator[str]:
    yield f"Burn-in, check {min(view.done + 1, view.checks)} of {view.checks}: {view.doing}"
    yield view.note
    yield ""
    yield from _findings(view)
    yield ""
    yield "Leave it switched on until this screen says PASSED or FAILED."


def _findings(view: BurnInView) -> Iterator[str]:
    yield from (f"failed: {name}: {reason}" for name, reason in view.failed)
    if view.passed:
        yield f"good: {', '.join(view.passed)}"


def _what_to_do(view: BurnInView, addresses: Sequence[str]) -> Iterator[str]:
    yield from view.kept
    if addresses:
        yield f"This unit: {', '.join(addresses[:ADDRESSES])}"
    if view.state == "failed":
        yield "Repair it and switch it on again: it tries once more."


def _word(word: str, width: int, terminal: Terminal) -> list[str]:
    """Return a verdict that can be read from the other end of the room, if there is room."""
    rows = [GAP.join(letters) for letters in zip(*(LETTERS[sign] for sign in word), strict=True)]
    if terminal.is_screen and len(rows[0]) <= width and terminal.rows > len(rows) * 2:
        return rows
    return [f"*** {word} ***"]
