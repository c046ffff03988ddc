"""The whole disk, put together without loop devices."""

from pathlib import Path

from .filesystems import make_data, make_esp, make_identity
from .layout import KINDS, disk_bytes, partitions_of, places
from .log import StepLog
from .partition_table import write_partition_table
from .plan import Plan

CHUNK_BYTES = 1 << 16


def make_disk(plan: Plan, log: StepLog) -> None:
    """Write the raw disk; slot B stays empty until the first update."""
    data = make_data(plan, log)
    contents = {
        "esp": make_esp(plan, log),
        "boot-A": plan.parts / "boot.img",
        "root-A": plan.parts / "root.img",
        "identity": make_identity(plan, log),
        "data": data,
    }
    partitions = partitions_of(plan, data.stat().st_size)
    plan.raw.parent.mkdir(parents=True, exist_ok=True)
    with plan.raw.open("wb") as file:
        file.truncate(disk_bytes(partitions))
    ids = [plan.uuid(f"partition/{label}") for label in KINDS]
    write_partition_table(plan.raw, partitions, plan.sector_bytes, plan.uuid("disk"), ids)
    for partition, offset in places(partitions):
        log.write(f"{partition.number} {partition.label} at {offset}, {partition.size} bytes\n")
        if partition.label in contents:
            put(contents[partition.label], plan.raw, offset)


def put(source: Path, disk: Path, offset: int) -> None:
    """Copy `source` into `disk` at `offset`, leaving holes where it is zero."""
    zeros = bytes(CHUNK_BYTES)
    with source.open("rb") as read, disk.open("r+b") as write:
        position = offset
        while chunk := read.read(CHUNK_BYTES):
            if chunk != zeros[: len(chunk)]:
                write.seek(position)
                write.write(chunk)
            position += len(chunk)
