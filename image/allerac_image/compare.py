"""In what two builds differ, down to the path of a file inside a partition."""

import hashlib
import json
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from .errors import BadInput
from .inventory import BILL, PACKAGES
from .log import StepLog, Words, clean_environment

CHUNK_BYTES = 1 << 20

Unpack = Callable[[Path, Path], Words]
"""Partition as a file, folder to fill → command."""

UNPACK: Mapping[str, Unpack] = {
    "esp": lambda source, target: ["mcopy", "-s", "-m", "-n", "-i", source, "::/", target],
    "boot-A": lambda source, target: ["unsquashfs", "-no-progress", "-f", "-d", target, source],
    "root-A": lambda source, target: ["fsck.erofs", f"--extract={target}", source],
    "identity": lambda source, target: ["debugfs", "-R", f"rdump / {target}", source],
    "data": lambda source, target: ["debugfs", "-R", f"rdump / {target}", source],
}
"""Partition → what takes its files out."""


def compare(first: Path, second: Path) -> list[str]:
    """Return one line for each difference of two output folders, none when their bytes are equal.

    The bundle is left out, whose signature holds a time; what is in it is in the disk too.
    """
    found = [
        f"{name}: differs"
        for name in (BILL, PACKAGES)
        if (first / name).read_bytes() != (second / name).read_bytes()
    ]
    with TemporaryDirectory(prefix="allerac-compare-", dir=first.resolve().parent) as scratch:
        work = Path(scratch)
        log = StepLog(work / "log", clean_environment(0))
        disks = [
            _disk_of(folder, work / side, log) for folder, side in ((first, "a"), (second, "b"))
        ]
        return found + list(_compare_disks(disks[0], disks[1], work, log))


def _disk_of(folder: Path, work: Path, log: StepLog) -> Path:
    """Return the raw disk in `folder`, unpacked into `work` when only a compressed one is there."""
    work.mkdir()
    for raw in folder.glob("*.img"):
        return raw
    for packed in folder.glob("*.img.zst"):
        raw = work / packed.stem
        log.run(["zstd", "--quiet", "--decompress", "--sparse", packed, "-o", raw])
        return raw
    raise BadInput(f"{folder} holds no disk of an image.")


def _compare_disks(first: Path, second: Path, work: Path, log: StepLog) -> Iterator[str]:
    tables = [_partitions(disk, log) for disk in (first, second)]
    if tables[0] != tables[1]:
        yield "partition table: differs"
        return
    for label, (start, size) in tables[0].items():
        parts = [
            _cut(disk, start, size, work / side / label)
            for disk, side in ((first, "a"), (second, "b"))
        ]
        if _digest(parts[0]) != _digest(parts[1]):
            yield from _explain(label, parts[0], parts[1], log)
        for part in parts:
            part.unlink()


def _explain(label: str, first: Path, second: Path, log: StepLog) -> Iterator[str]:
    """Yield what differs inside a partition, or that only the layout of its file system does."""
    unpack = UNPACK.get(label)
    differences = []
    if unpack is not None:
        trees = [part.with_name(f"{label}.files") for part in (first, second)]
        for part, tree in zip((first, second), trees, strict=True):
            tree.mkdir()
            log.run(unpack(part, tree))
        differences = list(compare_trees(trees[0], trees[1]))
        for tree in trees:
            shutil.rmtree(tree)
    for difference in differences:
        yield f"{label}: {difference}"
    if not differences:
        yield f"{label}: the same files, other bytes"


def compare_trees(first: Path, second: Path) -> Iterator[str]:
    """Yield the paths that only one tree has, and those that differ, with what differs."""
    trees = [{path.relative_to(tree): path for path in tree.rglob("*")} for tree in (first, second)]
    for path in sorted(trees[0].keys() | trees[1].keys()):
        if path not in trees[1]:
            yield f"{path}: only in the first"
        elif path not in trees[0]:
            yield f"{path}: only in the second"
        else:
            one, other = _facts(trees[0][path]), _facts(trees[1][path])
            if names := [name for name, value in one.items() if other.get(name) != value]:
                yield f"{path}: {', '.join(names)}"


def _facts(path: Path) -> dict[str, object]:
    """Return what can differ about a file, by the name a person is told."""
    status = path.lstat()
    facts: dict[str, object] = {
        "kind": stat.S_IFMT(status.st_mode),
        "permissions": stat.S_IMODE(status.st_mode),
        "owner": (status.st_uid, status.st_gid),
    }
    if path.is_symlink():
        facts["target"] = path.readlink()
    elif path.is_file():
        facts["content"] = _digest(path)
    return facts


def _partitions(disk: Path, log: StepLog) -> dict[str, tuple[int, int]]:
    """Return label → first byte and size of each partition."""
    table = json.loads(log.output(["sfdisk", "--json", disk]))["partitiontable"]
    sector = table.get("sectorsize", 512)
    return {
        part["name"]: (part["start"] * sector, part["size"] * sector)
        for part in table["partitions"]
    }


def _cut(disk: Path, start: int, size: int, target: Path) -> Path:
    """Write `size` bytes of `disk` from `start` on to `target`, sparse, and return it."""
    zeros = bytes(CHUNK_BYTES)
    with disk.open("rb") as read, target.open("wb") as write:
        read.seek(start)
        for position in range(0, size, CHUNK_BYTES):
            chunk = read.read(min(CHUNK_BYTES, size - position))
            if chunk != zeros[: len(chunk)]:
                write.seek(position)
                write.write(chunk)
        write.truncate(size)
    return target


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
