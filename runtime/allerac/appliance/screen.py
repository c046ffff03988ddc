"""The box's own screen as lines of text; 80 by 25 signs are enough, and no colour is needed."""

import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

import segno

from .view import BoxView

INDENT: Final = "  "
GAP: Final = 3
QUIET_MODULES: Final = 2
ADDRESSES: Final = 4
NO_NETWORK: Final = "No network yet. Is the cable plugged in?"
RESCUE: Final = "/rescue/"
"""Where the box's proxy shows the rescue page, whatever the runtime does."""
WHAT_TO_DO: Final = (
    "Have the code on the label ready. First let the page repair the disk; if that does not help, "
    "it can forget everything and begin anew. If this comes back, the disk is failing."
)
STATES: Final = {
    "ready": "Ready",
    "starting": "Warming up",
    "loading": "Warming up",
    "stopped": "Ready for a model",
    "failed": "The model does not start; the box's page says why",
}
"""What the engine's state means to a person."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the screen can do: `is_screen` when the cursor moves and block elements are known."""

    columns: int
    rows: int
    is_screen: bool

    @classmethod
    def of(cls, kind: str, size: os.terminal_size, encoding: str) -> "Terminal":
        """Judge by the environment's TERM; a serial line does not know its own size."""
        is_screen = kind not in {"", "dumb", "unknown"} and encoding.lower().startswith("utf")
        return cls(size.columns or 80, size.lines or 25, is_screen)


def draw(view: BoxView | None, terminal: Terminal) -> list[str]:
    """Return the lines to show; `view` None: the runtime is not up."""
    if view is None:
        return [
            "",
            f"{INDENT}Allerac",
            "",
            f"{INDENT}starting…" if terminal.is_screen else "starting",
        ]
    facts = [*_headline(view), *_ways_in(view), *_code(view), "", f"* {_state(view)}"]
    return _page(facts, _qr(view), view.conflict or "", terminal)


def draw_without_data(addresses: Sequence[str], terminal: Terminal) -> list[str]:
    """Return the lines to show while the disk with the data cannot be read.

    `addresses` are those at which the box's proxy answers; its names are not announced then.
    """
    rescue = [f"http://{_host(address)}{RESCUE}" for address in addresses[:ADDRESSES]]
    way = ["Open the rescue page:", *rescue] if rescue else [NO_NETWORK]
    facts = ["Allerac", "", "The disk with your data cannot be read.", "", *way]
    return _page(facts, _qr_of(rescue[0]) if rescue else [], WHAT_TO_DO, terminal)


def _page(facts: Sequence[str], picture: Sequence[str], note: str, terminal: Terminal) -> list[str]:
    """Lay out facts beside a picture, which is left out where there is no room for both."""
    code = list(picture) if terminal.is_screen else []
    width = terminal.columns - len(INDENT) * 2 - (len(code[0]) + GAP if code else 0)
    beside = [line for line in facts if len(line) <= width]
    below = [line for line in facts if len(line) > width]
    if code and len(code) + len(below) + 3 > terminal.rows:
        code, beside, below = [], list(facts), []
    notes = textwrap.wrap(note, terminal.columns - len(INDENT) * 2)
    lines = ["", *_side_by_side(code, beside), *below]
    if notes and len(lines) + len(notes) + 1 < terminal.rows:
        lines.append("")
    lines += notes
    return [f"{INDENT}{plain(line)}".rstrip() for line in lines][: terminal.rows - 1]


def half_blocks(rows: Sequence[Sequence[bool]]) -> list[str]:
    """Return a picture of two rows a line; False is light, which is what a dark screen draws."""
    return [
        "".join("█▀▄ "[upper * 2 + lower] for upper, lower in zip(above, under, strict=True))
        for above, under in zip_longest(
            rows[::2], rows[1::2], fillvalue=[True] * len(rows[0]) if rows else []
        )
    ]


def _headline(view: BoxView) -> list[str]:
    title = "Allerac" if view.name == "Allerac" else f"{view.name} (Allerac)"
    if not view.addresses:
        return [title, "", NO_NETWORK]
    invitation = "Open it from this network:" if view.claimed else "To begin, open in this network:"
    return [title, "", invitation]


def _ways_in(view: BoxView) -> list[str]:
    if not view.addresses:
        return []
    hosts = [*view.names[:1], *map(_host, view.addresses[:ADDRESSES])]
    return [f"http://{host}" for host in hosts]


def _code(view: BoxView) -> list[str]:
    if view.claimed:
        return []
    if view.claim_code is None:
        return ["", "The claim code is on the label."]
    return ["", f"claim code: {view.claim_code}"]


def _state(view: BoxView) -> str:
    return STATES.get(view.engine, view.engine) if view.claimed else "Waiting for its owner"


def _qr(view: BoxView) -> list[str]:
    if not view.addresses:
        return []
    fragment = f"#code={view.claim_code.replace('-', '')}" if view.claim_code else ""
    return _qr_of(f"http://{_host(view.addresses[0])}/{fragment}")


def _qr_of(address: str) -> list[str]:
    code = segno.make(address, error="l", micro=False)
    return half_blocks([[bool(dark) for dark in row] for row in code.matrix_iter(1, QUIET_MODULES)])


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _side_by_side(left: Sequence[str], right: Sequence[str]) -> list[str]:
    if not left:
        return list(right)
    centred = [*[""] * ((len(left) - len(right)) // 2), *right]
    empty = " " * len(left[0])
    return [
        f"{picture or empty}{' ' * GAP}{text or ''}" for picture, text in zip_longest(left, centred)
    ]


def plain(line: str) -> str:
    """Return a line without what would move the cursor."""
    return "".join(sign if sign.isprintable() else "?" for sign in line)
