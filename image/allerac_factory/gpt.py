"""The GUID partition table of a written drive (UEFI specification 2.10, chapter 5).

An image ends where its last partition does. On a drive, which is larger, the second copy of the
table belongs at the drive's own end.
"""

import dataclasses
import struct
import uuid
import zlib
from collections.abc import Callable

from allerac_image.errors import ImageError

HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
ENTRY = struct.Struct("<16s16sQQQ72s")
SIGNATURE = b"EFI PART"
SECTOR_SIZES = (512, 4096)
"""Bytes of a logical sector, of all drives there are."""

REVISION = 0x00010000
MIB = 1 << 20
MOST_ENTRY_BYTES = 1 << 16
"""Four times what anybody writes; a damaged header asks for more."""

Read = Callable[[int, int], bytes]
"""Returns so many bytes from an offset."""


class BadTable(ImageError):  # noqa: N818  reads as what happened
    """There is no partition table, or it is damaged."""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One partition: `offset` and `size` in bytes, `kind` and `id` as they are printed."""

    label: str
    kind: str
    id: str
    offset: int
    size: int
    attributes: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """A table that is whole; `backup_offset` is the byte where its second header is said to be."""

    disk_id: str
    entries: tuple[Entry, ...]
    sector_bytes: int
    backup_offset: int

    def partition(self, label: str) -> Entry:
        """Return the partition `label`; raise `BadTable` when there is none."""
        for entry in self.entries:
            if entry.label == label:
                return entry
        raise BadTable(f"There is no partition {label!r}.")

    @property
    def ids(self) -> dict[str, str]:
        """Label → PARTUUID."""
        return {entry.label: entry.id for entry in self.entries}

    def grown(self, label: str, disk_bytes: int) -> "Table":
        """Return the table with `label`, the last partition, as large as the drive allows."""
        last = self.partition(label)
        end = (disk_bytes - MIB) // MIB * MIB
        larger = dataclasses.replace(last, size=max(last.size, end - last.offset))
        others = tuple(entry for entry in self.entries if entry is not last)
        return dataclasses.replace(self, entries=(*others, larger))


def read_table(read: Read, sector: int, header_offset: int | None = None) -> Table:
    """Read the first copy of the table, or the one at `header_offset`. Raises `BadTable`."""
    at = sector if header_offset is None else header_offset
    raw = read(at, sector)[: HEADER.size]
    if len(raw) < HEADER.size or not raw.startswith(SIGNATURE):
        raise BadTable("There is no partition table.")
    fields = HEADER.unpack(raw)
    checksum, here, other, table, count, size, sum_of_entries = (
        *(fields[3], fields[5], fields[6]),
        *(fields[10], fields[11], fields[12], fields[13]),
    )
    if zlib.crc32(raw[:16] + bytes(4) + raw[20:]) != checksum or here * sector != at:
        raise BadTable("The header of the partition table is damaged.")
    if size != ENTRY.size or count * size > MOST_ENTRY_BYTES:
        raise BadTable("The partition table has entries of a foreign size.")
    length = count * size
    entries = read(table * sector, -(-length // sector) * sector)[:length]
    if zlib.crc32(entries) != sum_of_entries:
        raise BadTable("The entries of the partition table are damaged.")
    return Table(
        disk_id=str(uuid.UUID(bytes_le=fields[9])),
        entries=tuple(_entry(one, sector) for one in ENTRY.iter_unpack(entries) if any(one[0])),
        sector_bytes=sector,
        backup_offset=other * sector,
    )


def packed_table(table: Table, disk_bytes: int, count: int = 128) -> dict[int, bytes]:
    """Return offset → content of both copies and the protective record for such a drive."""
    sector = table.sector_bytes
    last = disk_bytes // sector - 1
    entries = b"".join(_packed_entry(entry, sector) for entry in table.entries)
    entries = entries.ljust(count * ENTRY.size, b"\0")
    sectors = len(entries) // sector
    usable = (2 + sectors, last - sectors - 1)
    if any((one.offset + one.size) // sector - 1 > usable[1] for one in table.entries):
        raise BadTable("The drive is too small for its partitions.")
    guid = uuid.UUID(table.disk_id).bytes_le
    first = _packed_header((1, last, 2), usable, guid, entries, count)
    second = _packed_header((last, 1, last - sectors), usable, guid, entries, count)
    head = _protective(last).ljust(sector, b"\0") + first.ljust(sector, b"\0") + entries
    tail = entries + second.ljust(sector, b"\0")
    return {0: head, (last - sectors) * sector: tail}


def _entry(fields: tuple[bytes, bytes, int, int, int, bytes], sector: int) -> Entry:
    kind, identifier, first, last, attributes, name = fields
    return Entry(
        label=name.decode("utf-16-le", errors="replace").split("\0")[0],
        kind=str(uuid.UUID(bytes_le=kind)),
        id=str(uuid.UUID(bytes_le=identifier)),
        offset=first * sector,
        size=(last - first + 1) * sector,
        attributes=attributes,
    )


def _packed_entry(entry: Entry, sector: int) -> bytes:
    return ENTRY.pack(
        uuid.UUID(entry.kind).bytes_le,
        uuid.UUID(entry.id).bytes_le,
        entry.offset // sector,
        (entry.offset + entry.size) // sector - 1,
        entry.attributes,
        entry.label.encode("utf-16-le"),
    )


def _packed_header(
    places: tuple[int, int, int], usable: tuple[int, int], guid: bytes, entries: bytes, count: int
) -> bytes:
    here, other, table = places

    def packed(checksum: int) -> bytes:
        where = (here, other, *usable, guid, table, count, ENTRY.size)
        return HEADER.pack(
            SIGNATURE, REVISION, HEADER.size, checksum, 0, *where, zlib.crc32(entries)
        )

    return packed(zlib.crc32(packed(0)))


def _protective(last: int) -> bytes:
    """Return a master boot record that calls the whole drive taken (5.2.3)."""
    record = struct.pack(
        "<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1, min(last, 0xFFFFFFFF)
    )
    return bytes(446) + record + bytes(48) + b"\x55\xaa"
