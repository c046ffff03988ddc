"""`allerac console`: keeps the screen that is plugged in, or a serial line, up to date."""

import os
import time
from pathlib import Path
from typing import Final, Never, TextIO

from .screen import Terminal, draw
from .view import read_view

LOOK_SECONDS: Final = 1.0
REDRAW_SECONDS: Final = 60.0
"""The kernel writes its messages over the screen."""

CLEAR: Final = "\x1b[?25l\x1b[H\x1b[2J"
"""Hide the cursor, home, erase: DECTCEM, CUP and ED of ECMA-48 and the VT220."""


def run_console(path: Path, out: TextIO, kind: str) -> Never:
    """Show the box as the file at `path` tells, for as long as the process lives.

    `kind` is what TERM says. A terminal that cannot erase gets new lines only when they differ.
    """
    shown: list[str] = []
    drawn_at = 0.0
    while True:
        terminal = Terminal.of(kind, _size(out), out.encoding)
        lines = draw(read_view(path), terminal)
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
