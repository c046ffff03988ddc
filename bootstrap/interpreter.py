"""Which Python the checkout is set up with."""

import os
import subprocess
import sys
from pathlib import Path

SYSTEM = Path("/usr/bin/python3")
MINIMUM = (3, 11)


def prefer_the_systems(arguments: list[str], system: Path = SYSTEM) -> None:
    """Begin again in the distribution's Python if this is another and that is new enough.

    It is what a stranger's machine has, gets its security updates with the system, and was built
    with profile-guided optimisation; what a version manager compiles usually is not.
    """
    if Path(sys.executable).resolve() != system.resolve() and _is_new_enough(system):
        os.execv(system, [str(system), "-m", "bootstrap", *arguments])  # noqa: S606 - this program, with its own arguments


def _is_new_enough(python: Path) -> bool:
    question = f"import sys; sys.exit(sys.version_info < {MINIMUM})"
    try:
        return subprocess.run([str(python), "-c", question], check=False).returncode == 0
    except OSError:
        return False
