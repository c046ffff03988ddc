"""The door to other programs: none of them is waited for without end."""

import subprocess
from collections.abc import Sequence
from typing import Protocol

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


class Programs(Protocol):
    """Runs a program; a test hands in one that only notes what was wanted."""

    def __call__(self, words: Sequence[str], seconds: float = 5.0) -> "Told":
        """Run `words` for at most `seconds`."""


class Told:
    """How a program ended: its status, None when it did not, and what it printed."""

    def __init__(self, status: int | None, text: str) -> None:
        self.status = status
        self.text = text

    @property
    def ok(self) -> bool:
        """Tell whether it ended well."""
        return self.status == 0


def run(words: Sequence[str], seconds: float = 5.0) -> Told:
    """Run a program; one that is missing or hangs is told like one that failed."""
    try:
        done = subprocess.run(
            list(words),
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Told(None, f"{words[0]} did not answer within {seconds:.0f} s")
    except OSError as error:
        return Told(None, str(error))
    return Told(done.returncode, done.stdout.decode(errors="replace"))
