"""Programs of the image are run in its root, cut off from the machine the image is made on."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .log import StepLog, Words
from .plan import IMAGE

NAMESPACES = ("--mount", "--net", "--pid", "--ipc", "--uts", "--propagation", "private")
"""No mount outlives the command, no program stays behind, and there is no network."""


def run_with_mounts(
    root: Path,
    log: StepLog,
    command: Sequence[str | Path],
    *,
    name: str,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    on_line: Callable[[str], None] | None = None,
) -> None:
    """Run a program of the host while `root` has /dev, /proc, /sys, /run and /tmp."""
    enter: Words = ["unshare", *NAMESPACES, "--fork", "--kill-child"]
    enter += [IMAGE / "files" / "in-chroot", root]
    log.run([*enter, *command], name=name, environment=environment, cwd=cwd, on_line=on_line)


def run_in_root(root: Path, log: StepLog, command: Sequence[str | Path]) -> None:
    """Run a program of the image in its own root."""
    run_with_mounts(root, log, ["chroot", root, *command], name=str(command[0]))


def foreign(root: Path, program: str) -> list[str | Path]:
    """Return the beginning of a command that runs a program of the image on the host's files.

    The image's newer programs are wanted without being confined to its root, so its own loader
    starts them with its own libraries.
    """
    libraries = root / "usr/lib/x86_64-linux-gnu"
    return [root / "usr/lib64/ld-linux-x86-64.so.2", "--library-path", libraries, root / program]
