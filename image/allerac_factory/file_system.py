"""The ext4 file systems of a drive, read and written where they lie and never mounted.

The programs of e2fsprogs take `DEVICE?offset=BYTES` for a file system inside of something.
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from allerac_image.errors import ImageError
from allerac_image.log import PATH

SECONDS = 600
"""For one program; a drive that answers no more must not hold the station."""

NOT_FOUND = "File not found"
ENDING_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""A program that outlives a killed station would write to a drive that the next one has begun."""

BANNER = re.compile(r"(debugfs|mke2fs|e2fsck|resize2fs) \d")


class BadFileSystem(ImageError):  # noqa: N818  reads as what happened
    """A program of e2fsprogs could not do its work; the text is what it said."""


class Ext4:
    """The file system at byte `offset` of `disk`."""

    def __init__(self, disk: Path, offset: int) -> None:
        self._place = f"{disk}?offset={offset}"

    def read(self, path: str) -> bytes | None:
        """Return a file's content, None when there is none. Raises `BadFileSystem`."""
        content, complaints = self._ask(f'cat "{path}"')
        if any(NOT_FOUND in line for line in complaints):
            return None
        _require_none(complaints)
        return content

    def stat(self, path: str) -> str:
        """Return what debugfs(8) says of a file. Raises `BadFileSystem`, also without one."""
        said, complaints = self._ask(f'stat "{path}"')
        _require_none(complaints)
        return said.decode(errors="replace")

    @contextmanager
    def streamed(self, path: str) -> Iterator[IO[bytes]]:
        """Give a file's content as a stream."""
        command = ["debugfs", "-R", f'cat "{path}"', self._place]
        with subprocess.Popen(
            [*ENDING_WITH_US, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        ) as process:
            if process.stdout is None:
                raise BadFileSystem("debugfs gives nothing to read.")
            yield process.stdout

    def change(self, commands: Sequence[str]) -> None:
        """Do the commands of debugfs(8) in order. Raises `BadFileSystem` when one is refused."""
        lines = "".join(f"{command}\n" for command in commands)
        done = _run(["debugfs", "-w", "-f", "-", self._place], lines)
        _require_none(_complaints(done.stderr))

    def copy_out(self, folder: str, to: Path) -> None:
        """Copy a folder and what is in it into the folder `to`."""
        _, complaints = self._ask(f'rdump "{folder}" "{to}"')
        _require_none(complaints)

    def _ask(self, command: str) -> tuple[bytes, list[str]]:
        done = _run(["debugfs", "-R", command, self._place])
        return done.stdout, _complaints(done.stderr)

    def grow(self, size: int) -> None:
        """Let the file system take `size` bytes."""
        _run(["resize2fs", "-f", self._place, f"{size // 1024}K"])

    def check(self) -> None:
        """Raise `BadFileSystem` unless everything in it is in order."""
        _run(["e2fsck", "-f", "-n", self._place])


def make_ext4(image: Path, folder: Path, label: str) -> None:
    """Make of the empty file `image` a file system that holds `folder`."""
    options = ["-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256", "-m", "0"]
    names = ["-L", label, "-E", "root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0"]
    _run(["mke2fs", *options, *names, "-d", str(folder), str(image)])


def _run(command: Sequence[str], text: str = "") -> subprocess.CompletedProcess[bytes]:
    try:
        done = subprocess.run(
            [*ENDING_WITH_US, *command],
            input=text.encode(),
            capture_output=True,
            check=False,
            timeout=SECONDS,
            env=_environment(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadFileSystem(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        reasons = [*_complaints(done.stderr), *_complaints(done.stdout), str(done.returncode)]
        raise BadFileSystem(f"{command[0]}: {reasons[0]}")
    return done


def _complaints(said: bytes) -> list[str]:
    """Return what a program said on its second channel, without its name and version."""
    lines = said.decode(errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip() and not BANNER.match(line)]


def _require_none(complaints: Sequence[str]) -> None:
    """debugfs(8) ends with status 0 whatever went wrong; it complains, and that is all."""
    if complaints:
        raise BadFileSystem(f"debugfs: {complaints[0]}")


def _environment() -> dict[str, str]:
    return {"PATH": PATH, "LC_ALL": "C.UTF-8"}
