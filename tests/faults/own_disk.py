"""A disk of a box's own: a tmpfs in a mount namespace that outlives the box."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

import pytest

AS_ROOT = () if os.geteuid() == 0 else ("--user", "--map-root-user")
HOLD = 'mount -t tmpfs -o "size=$1" tmpfs "$0" && echo mounted && exec cat'


@dataclass(frozen=True, slots=True)
class OwnDisk:
    """`root` leads to the disk from outside, the command `within` to where it is mounted."""

    root: Path
    within: tuple[str, ...]


@contextmanager
def own_disk(folder: Path, size: str) -> Iterator[OwnDisk]:
    """Mount one of `size`, as tmpfs(5) has it, at `folder`; skips where that is not allowed."""
    folder.mkdir()
    command = ["unshare", "--mount", *AS_ROOT, "sh", "-c", HOLD, str(folder), size]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        if holder.stdout.readline() != b"mounted\n":
            pytest.skip("mount namespaces are not allowed")
        user = ("--user", "--preserve-credentials") if AS_ROOT else ()
        within = ("nsenter", "--target", str(holder.pid), *user, "--mount")
        yield OwnDisk(Path(f"/proc/{holder.pid}/root{folder}"), within)
        holder.stdin.close()
        holder.wait(10)
