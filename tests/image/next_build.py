"""The next version as a release makes it: a commit, its number raised, built from its own clone."""

import re
import subprocess
import sys
from pathlib import Path

from allerac_image.plan import REPOSITORY
from allerac_image.source import VERSION_FILE
from tests.image.conftest import BuiltImage, build_image

CHANGED = Path("runtime/allerac/chat/prompt.py")
NOTE = '\n\n_NOTE = "one file of the runtime is another"\n'
BOOTSTRAP_SECONDS = 900


def build_next(version: str, folder: Path) -> BuiltImage:
    """Commit `version` with one file changed to a clone, and build the `vm` image of it."""
    clone = folder / "clone"
    _run("/usr/bin/git", "clone", "-q", REPOSITORY, clone)
    number = clone / VERSION_FILE
    number.write_text(re.sub(r'(?<=__version__ = ")[^"]+', version, number.read_text()))
    with (clone / CHANGED).open("a") as file:
        file.write(NOTE)
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    _run("/usr/bin/git", "-C", clone, *author, "commit", "-q", "-a", "-m", f"release {version}")
    _run("/usr/bin/env", "-C", clone, sys.executable, "-m", "bootstrap", "image")
    return build_image(folder / "out", source=clone, python=str(clone / ".venv/bin/python"))


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=BOOTSTRAP_SECONDS
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
