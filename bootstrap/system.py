"""Programs of the distribution."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
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
    Program("chromium-headless-shell", "chromium-headless-shell"),
    Program("debugfs", "e2fsprogs"),
    Program("/usr/bin/dbus-daemon", "dbus-daemon"),
    Program("grub-emu", "grub-emu"),
    Program("ip", "iproute2"),
    Program("journalctl", "systemd"),
    Program("promtool", "prometheus"),
    Program("qemu-img", "qemu-utils"),
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
    try:
        run(["apt-get", *options, *missing], log="apt", environment=quiet)
    except StepFailed as error:
        unknown = " ".join(_unknown_to_apt(missing))
        if not unknown:
            raise
        raise StepFailed(
            f"This system's apt has no {unknown}, needed for {purpose}. "
            "Install it from its makers, then try again."
        ) from error


def _unknown_to_apt(packages: Sequence[str]) -> list[str]:
    def is_known(package: str) -> bool:
        asked = ["apt-cache", "show", package]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0

    return [package for package in packages if not is_known(package)]
