"""Programs of the distribution that only the tests need."""

import os
import shutil

from .steps import StepFailed, run, say

PROGRAMS = {"chromium": "chromium", "ip": "iproute2"}
"""Program that tests call → Debian package that has it."""


def prepare_test_programs() -> None:
    """Install what is missing when that is possible; otherwise say what to install."""
    missing = sorted({package for name, package in PROGRAMS.items() if shutil.which(name) is None})
    if not missing:
        return
    names = " ".join(missing)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise StepFailed(f"The tests need these programs: sudo apt-get install {names}")
    say(f"▸ Programs for the tests: {names}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update"], log="apt-update", environment=quiet)
    options = ["install", "-y", "--no-install-recommends"]
    run(["apt-get", *options, *missing], log="apt", environment=quiet)
