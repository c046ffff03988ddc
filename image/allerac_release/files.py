"""Files appear whole or not at all, and one tool at a time is at work in a folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from allerac_image.errors import BadInput

PART = ".part"
"""The end of the name of a file that is still being written; nobody is told of it."""


def part_of(path: Path) -> Path:
    """Return where `path` is written before it is whole."""
    return path.with_name(f".{path.name}{PART}")


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` so that `path` has the old or the new one, also after a power cut."""
    part = part_of(path)
    part.write_bytes(content)
    put_in_place(part, path)


def put_in_place(part: Path, path: Path) -> None:
    """Give the finished file `part` its name once its bytes are on the disk."""
    _sync(part)
    part.rename(path)
    _sync(path.parent)


def remove_parts(folder: Path) -> None:
    """Remove what a run that was killed left below `folder`."""
    for part in folder.rglob(f".*{PART}"):
        part.unlink()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold `folder` by a lock beside it; raise `BadInput` when somebody else does."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadInput(f"Somebody else is changing {folder}. Try again when done.") from error
        yield


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
