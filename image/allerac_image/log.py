"""Programs are run in one place, and what they say is kept in the step's log."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import CommandFailed

ENDING_SECONDS = 30
"""For a program to clear up behind itself when it is told to end."""

Words = list[str | Path]
"""Some words of a command line."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def say(text: str) -> None:
    """Print one line at once, so that progress is seen through pipes too."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def clean_environment(epoch: int) -> dict[str, str]:
    """Return an environment that holds nothing of the machine the image is made on."""
    return {
        "PATH": PATH,
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(epoch),
        "PYTHONHASHSEED": "0",  # the order of sets in bytecode
        "DEBIAN_FRONTEND": "noninteractive",
    }


@contextmanager
def ended_together(process: subprocess.Popen[Any]) -> Iterator[None]:
    """End `process`, the leader of a session, and all it started when the build is interrupted."""
    try:
        yield
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        raise


class StepLog:
    """Runs programs for one step; their output goes to `path`."""

    def __init__(self, path: Path, environment: Mapping[str, str] | None) -> None:
        self.path = path
        self.environment = environment
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")

    def run(
        self,
        command: Sequence[str | Path],
        *,
        name: str = "",
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        text: str | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        """Run `command`, give it `text` to read; raise `CommandFailed` when it fails.

        An error calls the program `name`, which is the command's first word unless given. With
        `on_line` each line is handed over as soon as it is said; `text` is not read then.
        """
        self.write(f"$ {' '.join(map(str, command))}\n")
        with (
            self.path.open("ab", buffering=0) as out,
            subprocess.Popen(
                command,
                cwd=cwd,
                env=environment or self.environment,
                stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
                stdout=out if on_line is None else subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ) as process,
            ended_together(process),
        ):
            if on_line is None:
                process.communicate(None if text is None else text.encode())
            for line in process.stdout or ():
                out.write(line)
                if on_line is not None:
                    on_line(line.decode(errors="replace"))
        if process.returncode != 0:
            raise CommandFailed(name or str(command[0]), process.returncode)

    def output(self, command: Sequence[str | Path]) -> str:
        """Run `command` and return what it prints; its errors go to the log."""
        self.write(f"$ {' '.join(map(str, command))}\n")
        with self.path.open("ab") as errors:
            finished = subprocess.run(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                check=False,
            )
        if finished.returncode != 0:
            self.write(finished.stdout.decode(errors="replace"))
            raise CommandFailed(str(command[0]), finished.returncode)
        return finished.stdout.decode()

    def write(self, text: str) -> None:
        """Add `text` to the log."""
        with self.path.open("a") as out:
            out.write(text)

    def last_lines(self, count: int = 15) -> str:
        """Return the end of the log."""
        return "\n".join(self.path.read_text(errors="replace").splitlines()[-count:])
