"""Programs of the distribution."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .steps import StepFailed, run, say


@dataclass(frozen=True, slots=True)
class Program:
    """A program by its name, or a file by its path, and the Debian package that has it."""

    name: str
    package: str

    @property
    def is_there(self) -> bool:
        """Whether it is on this machine; a person's PATH may leave out the system's programs."""
        if self.name.startswith("/"):
            return Path(self.name).exists()
        path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
        return shutil.which(self.name, path=path) is not None


TESTS = (
    Program("chromium", "chromium"),
    Program("debugfs", "e2fsprogs"),
    Program("/usr/bin/dbus-daemon", "dbus-daemon"),
    Program("grub-emu", "grub-emu"),
    Program("ip", "iproute2"),
    Program("journalctl", "systemd"),
    Program("promtool", "prometheus"),
    Program("swtpm", "swtpm"),
    Program("/usr/lib/x86_64-linux-gnu/libtss2-tcti-swtpm.so.0", "libtss2-tcti-swtpm0"),
    Program("tpm2", "tpm2-tools"),
)
"""What only the tests need."""


def prepare_test_programs() -> None:
    """Install what the tests drive."""
    prepare_programs(TESTS, "the tests")


def prepare_programs(programs: Iterable[Program], purpose: str) -> None:
    """Install what is missing when that is possible; otherwise say what to install."""
    missing = sorted({program.package for program in programs if not program.is_there})
    if not missing:
        return
    names = " ".join(missing)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise StepFailed(f"Missing for {purpose}: sudo apt-get install {names}")
    say(f"▸ Programs: {names}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update"], log="apt-update", environment=quiet)
    options = ["install", "-y", "--no-install-recommends"]
    run(["apt-get", *options, *missing], log="apt", environment=quiet)
