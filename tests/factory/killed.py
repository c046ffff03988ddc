"""A station that is killed at one line of its own program, the same one each time."""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import allerac_factory
from allerac_factory.cli import main

from .workshop import QUICK

PROGRAM = str(Path(allerac_factory.__file__).parent)
NEVER = 0


class Lines:
    """Counts the lines that run in files of the station called `names`; kills itself at `last`."""

    def __init__(self, names: Sequence[str], last: int) -> None:
        self._files = {f"{PROGRAM}/{name}" for name in names}
        self._last = last
        self.count = 0

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        """Be asked by the interpreter (`sys.settrace`)."""
        if frame.f_code.co_filename not in self._files:
            return None
        if event == "line":
            self.count += 1
            if self.count == self._last:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.trace


def run(words: Sequence[str], names: Sequence[str], last: int = NEVER) -> tuple[bool, int]:
    """Run a command of the station in a process of its own, killed at its line number `last`.

    Returns whether it was killed, and how many lines it ran when it was not.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_station(words, Lines(names, last), writing)
    os.close(writing)
    with os.fdopen(reading) as told:
        count = told.read()
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status), int(count or 0)


def _be_the_station(words: Sequence[str], lines: Lines, writing: int) -> None:
    quiet = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(quiet, descriptor)
    threading.settrace(lines.trace)
    sys.settrace(lines.trace)
    try:
        main(words, QUICK)
    finally:
        sys.settrace(None)
        os.write(writing, str(lines.count).encode())
        os._exit(0)
