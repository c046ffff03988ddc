"""After the roles: what was needed only while building goes, and so does every trace of it."""

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from .chroot import run_in_root
from .debian import load_debian
from .errors import ImageError
from .log import StepLog
from .plan import Plan

LIBRARIES = "opt/allerac/venv/lib"
COPY_BYTES = 64 << 10
"""Smaller ones are not worth it."""

PYTHON_FOLDERS = ("usr/lib/python3*", "usr/share/python3")
MISSING_LINK = "../run/systemd/resolve/stub-resolv.conf"


def seal(plan: Plan, log: StepLog) -> None:
    """Take out of the root what a box must not have, and compile its Python."""
    debian = load_debian(plan.tier.packages)
    purge = ["apt-get", "--quiet", "--yes", "--autoremove", "purge"]
    run_in_root(plan.root, log, [*purge, *debian.while_building])
    # The kernel wants some initrd maker to stay; a box gets its initrd whole and uses none.
    makers = [*debian.initrd_makers, *debian.recipe["venv_makers"]]
    run_in_root(plan.root, log, ["dpkg", "--purge", "--force-depends", *makers])
    remove(plan.root, debian.recipe["vendor_names"])
    run_in_root(plan.root, log, ["systemd-hwdb", "--usr", "--strict", "update"])
    remove(plan.root, debian.recipe["leave_out"])
    for name in debian.recipe["without_files"]:
        remove_files(plan.root / name)
    for name in debian.recipe["emptied"]:
        (plan.root / name).write_bytes(b"")
    link_copies(plan.root / LIBRARIES)
    resolver = plan.root / "etc/resolv.conf"
    resolver.unlink(missing_ok=True)
    resolver.symlink_to(MISSING_LINK)
    compile_python(plan.root, log)


def remove(root: Path, patterns: Iterable[str]) -> None:
    """Remove what glob patterns below `root` match; a symbolic link itself, never its target."""
    for pattern in patterns:
        for path in list(root.glob(pattern)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def remove_files(folder: Path) -> None:
    """Remove everything below `folder` but folders, which programs expect to be there."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            path.unlink()


def link_copies(folder: Path) -> None:
    """Make one file of those below `folder` that are the same: wheels hold no links."""
    seen: dict[tuple[int, bytes], Path] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        if path.is_symlink() or not path.is_file() or status.st_size < COPY_BYTES:
            continue
        key = (status.st_mode, hashlib.sha256(path.read_bytes()).digest())
        first = seen.setdefault(key, path)
        if first != path:
            path.unlink()
            path.hardlink_to(first)


def compile_python(root: Path, log: StepLog) -> None:
    """Compile Debian's Python to bytecode that is believed without a look at its source.

    Python compares times of sources by default; in the image every file has the same one. The
    verified root vouches for the source instead (PEP 552, unchecked hash-based pycs).
    """
    folders = [path for pattern in PYTHON_FOLDERS for path in sorted(root.glob(pattern))]
    if not folders:
        raise ImageError(f"There is no Python in {root}.")
    inside = [f"/{path.relative_to(root)}" for path in folders]
    mode = ["--invalidation-mode", "unchecked-hash"]
    run_in_root(root, log, ["python3", "-m", "compileall", "-q", "-f", *mode, *inside])
