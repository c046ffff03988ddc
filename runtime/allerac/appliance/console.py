"""`allerac console`: keeps the screen that is plugged in, or a serial line, up to date."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Never, TextIO

from .burn_in_screen import draw_burn_in
from .burn_in_view import read_burn_in
from .screen import Terminal, draw, draw_without_data
from .view import read_view

LOOK_SECONDS: Final = 1.0
REDRAW_SECONDS: Final = 60.0
"""The kernel writes its messages over the screen."""

CLEAR: Final = "\x1b[?25l\x1b[H\x1b[2J"
"""Hide the cursor, home, erase: DECTCEM, CUP and ED of ECMA-48 and the VT220."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be seen of the box from here.

    `view` is what the runtime tells, `data` the runtime's folder, which is there as soon as the
    data partition is mounted. `addresses` looks the box's own ones up. `burn_in` is what the
    burn-in tells, None where there never is one.
    """

    view: Path
    data: Path
    addresses: Callable[[], Sequence[str]]
    burn_in: Path | None = None


def see(sight: Sight, terminal: Terminal) -> list[str]:
    """Return the lines to show now."""
    view = read_view(sight.view)
    burn_in = None if sight.burn_in is None else read_burn_in(sight.burn_in)
    if burn_in is not None and not (view is not None and view.claimed):
        return draw_burn_in(burn_in, sight.addresses(), terminal)
    # The unit starts after the local file systems: a disk that is not there now has been given up.
    # os.path: a disk that answers with errors has no folder either.
    if view is None and not os.path.isdir(sight.data):  # noqa: PTH112
        return draw_without_data(sight.addresses(), terminal)
    return draw(view, terminal)


def run_console(sight: Sight, out: TextIO, kind: str) -> Never:
    """Show the box for as long as the process lives.

    `kind` is what TERM says. A terminal that cannot erase gets new lines only when they differ.
    """
    shown: list[str] = []
    drawn_at = 0.0
    while True:
        terminal = Terminal.of(kind, _size(out), out.encoding)
        lines = see(sight, terminal)
        is_old = terminal.is_screen and time.monotonic() - drawn_at > REDRAW_SECONDS
        if lines != shown or is_old:
            before = CLEAR if terminal.is_screen else ""
            out.write(before + "\n".join(lines) + "\n")
            out.flush()
            shown, drawn_at = lines, time.monotonic()
        time.sleep(LOOK_SECONDS)


def _size(out: TextIO) -> os.terminal_size:
    try:
        return os.get_terminal_size(out.fileno())
    except OSError:
        return os.terminal_size((0, 0))
