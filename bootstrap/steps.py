"""Steps that are done once and again only when their inputs change."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
BUILD = REPOSITORY / ".build"
VENV = REPOSITORY / ".venv"
PYTHON = VENV / "bin" / "python"


class StepFailed(Exception):
    """A step could not be done; the text says what to do next."""


def say(text: str) -> None:
    """Print one line at once, so that progress is seen through pipes too."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def cache_folder() -> Path:
    """Return the user's cache folder for slow builds (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "allerac"


def digest(paths: Iterable[Path], *words: str) -> str:
    """Return a hash over the contents of `paths` and over `words`."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(str(path.relative_to(REPOSITORY)).encode() + b"\0")
        total.update(path.read_bytes() + b"\0")
    for word in words:
        total.update(word.encode() + b"\0")
    return total.hexdigest()


def once(name: str, key: str, title: str, work: Callable[[], None], *, made: Path) -> None:
    """Do `work` unless it was done for the same `key` and `made` is still there."""
    stamp = BUILD / "stamps" / name
    if made.exists() and stamp.is_file() and stamp.read_text() == key:
        return
    say(f"▸ {title}")
    began = time.monotonic()
    work()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key)
    say(f"  done in {time.monotonic() - began:.0f} s")


def run(
    command: list[str],
    *,
    log: str,
    cwd: Path = REPOSITORY,
    environment: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
) -> None:
    """Run `command` with its output in `.build/logs/<log>.log`; raise `StepFailed` with its end."""
    path = BUILD / "logs" / f"{log}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        path.open("w") as out,
        subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process,
    ):
        for line in process.stdout or ():
            out.write(line)
            if on_line is not None:
                on_line(line)
    if process.returncode != 0:
        tail = "".join(path.read_text(errors="replace").splitlines(keepends=True)[-25:])
        raise StepFailed(f"{tail}\n✗ {' '.join(command[:4])} … failed; the whole log is {path}")
