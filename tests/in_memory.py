"""Tests write gigabytes that nobody keeps; where there is room for them, in memory."""

import os
import tempfile
from pathlib import Path

import psutil

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of pytest's in it, as in /tmp
ROOM_BYTES = 16 * 10**9
"""Of memory that is free: a run has half of it in files at a time, and its programs the rest."""

UNLIKE_A_DISK = os.ST_NODEV | os.ST_NOSUID | os.ST_NOEXEC
"""Roots are made and run below a test's folder, with their devices and set-uid programs."""


def place_for_files(memory: Path = MEMORY) -> Path:
    """Return the folder below which pytest makes its own: `memory` where it does as a disk does."""
    return memory if _has_room(memory) and _is_like_a_disk(memory) else Path(tempfile.gettempdir())


def _has_room(memory: Path) -> bool:
    if not memory.is_dir() or not os.access(memory, os.W_OK):
        return False
    its = os.statvfs(memory)
    return min(psutil.virtual_memory().available, its.f_bavail * its.f_frsize) >= ROOM_BYTES


def _is_like_a_disk(memory: Path) -> bool:
    """Try what the factory's programs ask of a disk; tmpfs has O_DIRECT since Linux 6.6."""
    if os.statvfs(memory).f_flag & UNLIKE_A_DISK:
        return False
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        try:
            os.close(os.open(Path(folder) / "file", os.O_CREAT | os.O_RDWR | os.O_DIRECT, 0o600))
        except OSError:
            return False
    return True
