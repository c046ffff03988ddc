"""Version, commit and time of the sources an image is made from."""

import ast
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .errors import BadInput

VERSION_FILE = Path("runtime/allerac/__init__.py")


@dataclass(frozen=True, slots=True)
class Source:
    """What the checkout says of itself; `epoch` is the commit's time in seconds.

    `commit` ends with a plus when a file that it has was changed since.
    """

    version: str
    commit: str
    epoch: int


def read_source(repository: Path) -> Source:
    """Read `repository`; `SOURCE_DATE_EPOCH` stands in where there is no Git history.

    Raises `BadInput` when there is neither.
    """
    version = version_of((repository / VERSION_FILE).read_text("utf-8"))
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    asked = subprocess.run(
        ["/usr/bin/git", "-C", repository, "log", "-1", "--format=%H %ct"],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode == 0:
        commit, _, seconds = asked.stdout.strip().partition(" ")
        return Source(version, commit + _changes_of(repository), int(given or seconds))
    if given.isdigit():
        return Source(version, "unknown", int(given))
    raise BadInput(
        "These sources have no Git history, from which the image takes its time: "
        "set SOURCE_DATE_EPOCH to seconds since 1970."
    )


def _changes_of(repository: Path) -> str:
    same = subprocess.run(
        ["/usr/bin/git", "-C", repository, "diff", "--quiet", "HEAD"], check=False
    )
    return "" if same.returncode == 0 else "+"


def version_of(text: str) -> str:
    """Return the value of `__version__` in a module's text."""
    for node in ast.parse(text).body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id="__version__")], value=ast.Constant(value=str(version))
            ):
                return version
            case _:
                pass
    raise BadInput(f"{VERSION_FILE} has no __version__.")
