"""What is dear to fetch or compile is kept in the user's cache, and not for ever.

A shelf is a folder with one file or folder for each set of inputs. Names with a dot in front, and
parts that are still being made, are not on the shelf.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .steps import run, say

LEFTOVER_SECONDS = 24 * 3600
"""After this long nobody is still making a part: its process was killed."""

MB = 1_000_000


@contextmanager
def shelf(folder: Path, *, most: int, of: str) -> Iterator[None]:
    """Hold `folder` alone while something on it is looked for and made; others wait.

    Afterwards the `most` things that were used last are left; `of` is what people call them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"  Waiting until another build has its {of}.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
        _clear(folder, most, of)


def part_of(kept: Path) -> Path:
    """Return where `kept` is made before it is whole; nothing is there."""
    part = kept.with_name(f".{kept.name}.part{os.getpid()}")
    _remove(part)
    return part


def touch(kept: Path) -> None:
    """Remember that `kept` was used now."""
    os.utime(kept)


def take_or_make(kept: Path, target: Path, make: Callable[[], None], *, most: int, of: str) -> None:
    """Have in `target` a copy of the folder `kept`, or what `make` made there, and keep that.

    `most` and `of` are the `shelf`'s.
    """
    with shelf(kept.parent, most=most, of=of):
        if kept.is_dir():
            _copy(kept, target)
        else:
            make()
            part = part_of(kept)
            _copy(target, part)
            part.rename(kept)
        touch(kept)


def _copy(folder: Path, target: Path) -> None:
    """Copy with the system's own program: Python's takes four times as long for npm's packages."""
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    run(["cp", "-RpP", str(folder), str(target)], log="copy")


def _clear(folder: Path, most: int, of: str) -> None:
    on_it = [path for path in folder.iterdir() if not path.name.startswith(".")]
    by_use = sorted(on_it, key=lambda path: path.stat().st_mtime, reverse=True)
    if old := by_use[most:]:
        freed = sum(_size(path) for path in old)
        for path in old:
            _remove(path)
        say(f"  Of kept {of}, the {len(old)} used longest ago are removed: {freed // MB} MB.")
    for part in folder.glob(".*.part*"):
        if time.time() - part.stat().st_mtime > LEFTOVER_SECONDS:
            _remove(part)


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files if file.is_file())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
