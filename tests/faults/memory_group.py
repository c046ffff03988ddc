"""A control group that bounds the memory of a process, as the kernel enforces it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class MemoryGroup:
    """cgroups(7): version 1's memory controller, or version 2's where it is delegated."""

    folder: Path

    def bound(self, limit_bytes: int) -> None:
        """Let its processes have this much from now on; what they have already is another's."""
        name = "memory.max" if self._is_second else "memory.limit_in_bytes"
        (self.folder / name).write_text(str(limit_bytes))

    def take(self, pid: int) -> None:
        """Have a process belong to it."""
        (self.folder / "cgroup.procs").write_text(str(pid))

    @property
    def killed(self) -> int:
        """How many of its processes the kernel ended for want of memory."""
        name = "memory.events" if self._is_second else "memory.oom_control"
        lines = (self.folder / name).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    @property
    def _is_second(self) -> bool:
        return (self.folder / "memory.max").exists()


def _parent() -> Path:
    """Return the group of this process that has a memory controller; proc_pid_cgroup(5)."""
    found = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        found[controllers] = path.lstrip("/")
    if "memory" in found:
        return GROUPS / "memory" / found["memory"]
    return GROUPS / found.get("", "")


@contextmanager
def memory_group() -> Iterator[MemoryGroup]:
    """Make one below this process's own; skips where that is not allowed."""
    folder = _parent() / f"allerac-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made: {error.strerror}")
    try:
        if not any((folder / name).exists() for name in ("memory.max", "memory.limit_in_bytes")):
            pytest.skip("no memory controller is delegated")
        yield MemoryGroup(folder)
    finally:
        for pid in (folder / "cgroup.procs").read_text().split():  # a group with any cannot go
            (folder.parent / "cgroup.procs").write_text(pid)
        folder.rmdir()
