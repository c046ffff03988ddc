"""A GUID partition table, written for any sector size (UEFI specification 2.10, chapter 5)."""

import struct
import uuid
import zlib
from collections.abc import Sequence
from pathlib import Path

from .layout import Partition, disk_bytes, places

ENTRY_COUNT = 128
ENTRY_BYTES = 128
HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
ENTRY = struct.Struct("<16s16sQQQ72s")
SIGNATURE = b"EFI PART"
REVISION = 0x00010000
PROTECTIVE = struct.Struct("<B3sB3sII")


def write_partition_table(
    disk: Path, partitions: Sequence[Partition], sector: int, disk_id: str, ids: Sequence[str]
) -> None:
    """Write both copies of the table to `disk`; `ids` are the partitions' PARTUUIDs."""
    last = disk_bytes(partitions) // sector - 1
    entries = b"".join(
        ENTRY.pack(
            uuid.UUID(partition.kind).bytes_le,
            uuid.UUID(part_id).bytes_le,
            offset // sector,
            (offset + partition.size) // sector - 1,
            0,
            partition.label.encode("utf-16-le"),
        )
        for (partition, offset), part_id in zip(places(partitions), ids, strict=True)
    ).ljust(ENTRY_COUNT * ENTRY_BYTES, b"\0")
    sectors = len(entries) // sector
    usable = (2 + sectors, last - sectors - 1)
    guid = uuid.UUID(disk_id).bytes_le
    first = _header(1, last, 2, usable, guid, entries)
    second = _header(last, 1, last - sectors, usable, guid, entries)
    with disk.open("r+b") as file:
        file.write(_protective(last))
        for position, content in (
            (1, first),
            (2, entries),
            (last - sectors, entries),
            (last, second),
        ):
            file.seek(position * sector)
            file.write(content)


def _header(
    here: int, other: int, table: int, usable: tuple[int, int], guid: bytes, entries: bytes
) -> bytes:
    def packed(checksum: int) -> bytes:
        return HEADER.pack(
            SIGNATURE,
            REVISION,
            HEADER.size,
            checksum,
            0,
            here,
            other,
            *usable,
            guid,
            table,
            ENTRY_COUNT,
            ENTRY_BYTES,
            zlib.crc32(entries),
        )

    return packed(zlib.crc32(packed(0)))


def _protective(last: int) -> bytes:
    """Return a master boot record that calls the whole disk taken (5.2.3)."""
    size = min(last, 0xFFFFFFFF)
    record = PROTECTIVE.pack(0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1, size)
    return bytes(446) + record + bytes(48) + b"\x55\xaa"
