"""The disk that keeps the household's data: room, use, and the state of its file system."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .sysfs import Sysfs

SECTOR_BYTES: Final = 512
"""The unit of /proc/diskstats (docs.kernel.org/admin-guide/iostats.html), whatever the disk's."""

RECORDED_SPACE: Final = "allerac/space"
"""In a recorded tree: total and free bytes, which on a machine are a system call."""

WHOLE_DISK: Final = re.compile(r"^(sd[a-z]+|vd[a-z]+|nvme\d+n\d+|mmcblk\d+)$")


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes; `read` and `written` count since boot, over all disks."""

    total: int
    free: int
    read: int
    written: int


@dataclass(frozen=True, slots=True)
class FileSystem:
    """How the data's file system is mounted; `errors` counts those ext4 has noted since its making.

    `errors` is None for another file system.
    """

    device: str
    read_only: bool
    errors: int | None


def read_disk(sysfs: Sysfs, data_dir: Path) -> Disk | None:
    """Return room on the disk of `data_dir`, and what was read and written."""
    space = _space(sysfs, data_dir)
    if space is None:
        return None
    rows = [line.split() for line in (sysfs.text("proc/diskstats") or "").splitlines()]
    whole = [row for row in rows if len(row) >= 10 and WHOLE_DISK.match(row[2])]
    read, written = (SECTOR_BYTES * sum(int(row[column]) for row in whole) for column in (5, 9))
    return Disk(*space, read, written)


def _space(sysfs: Sysfs, data_dir: Path) -> tuple[int, int] | None:
    if not sysfs.is_machine and (recorded := sysfs.text(RECORDED_SPACE)):
        total, free = map(int, recorded.split())
        return total, free
    try:
        usage = shutil.disk_usage(data_dir)
    except OSError:
        return None
    return usage.total, usage.free


def read_file_system(sysfs: Sysfs, data_dir: Path) -> FileSystem | None:
    """Find the mount of `data_dir` in /proc/self/mounts (fstab(5)) and what ext4 says of it."""
    wanted = os.path.realpath(data_dir)
    best: list[str] = []
    for line in (sysfs.text("proc/self/mounts") or "").splitlines():
        parts = line.split(" ")
        if (
            len(parts) >= 4
            and _holds(parts[1], wanted)
            and len(parts[1]) >= len((best or ["", ""])[1])
        ):
            best = parts
    if not best:
        return None
    device = best[0].rpartition("/")[2]
    errors = sysfs.number(f"sys/fs/ext4/{device}/errors_count")
    return FileSystem(device, "ro" in best[3].split(","), errors)


def _holds(mount: str, path: str) -> bool:
    place = mount.replace("\\040", " ").rstrip("/")
    return path == place or path.startswith(f"{place}/")
