"""One drive is given the image: zeros, blocks, read-back, and a partition table of its own size."""

import errno
import hashlib
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from .bmap import BlockMap
from .broadcast import PIECE_BYTES, Channel
from .disk import ALIGNMENT, Disk, aligned_buffer
from .errors import UnitFailed
from .gpt import BadTable, Table, packed_table, read_table

GONE = {errno.ENODEV, errno.ENXIO, errno.ENOMEDIUM, errno.ESHUTDOWN}
"""What Linux answers for a drive that is not there any more."""


@dataclass(slots=True)
class Progress:
    """How far a unit is, in bytes written and read back of `total_bytes`; read by other threads."""

    total_bytes: int
    done_bytes: int = 0
    doing: str = "waiting"
    read_back_bytes: int = 0
    """Of the image's blocks alone."""


@contextmanager
def drive_faults() -> Iterator[None]:
    """Raise `UnitFailed` for what a drive answers."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in GONE:
            raise UnitFailed("drive gone", f"The drive is gone: {reason}.") from error
        if error.errno == errno.EBUSY:
            raise UnitFailed("in use", "Somebody else began to use the drive.") from error
        raise UnitFailed("drive error", f"The drive failed: {reason}.") from error


def write_image(disk: Disk, blocks: BlockMap, channel: Channel, progress: Progress) -> float:
    """Write all that comes, where the image is empty zeros, and read every block back.

    Returns the seconds of writing alone. Raises `UnitFailed`. File systems and the verified root
    count on zeros where the map has holes, and a used drive holds something else there.
    """
    with drive_faults():
        progress.doing = "clearing"
        disk.discard()
        for offset, size in blocks.holes():
            disk.zero(offset, size)
        progress.doing = "writing"
        began = time.monotonic()
        with closing(channel.pieces()) as pieces:  # what is not taken goes back at once
            for piece in pieces:
                disk.write(piece.offset, piece.content)
                progress.done_bytes += len(piece.content)
        disk.flush()
        seconds = time.monotonic() - began
        progress.doing = "reading back"
        _read_back(disk, blocks, progress)
    return seconds


def _read_back(disk: Disk, blocks: BlockMap, progress: Progress) -> None:
    buffer = memoryview(aligned_buffer(PIECE_BYTES))
    for span in blocks.spans:
        total = hashlib.sha256()
        for offset in range(span.offset, span.end, PIECE_BYTES):
            part = buffer[: min(PIECE_BYTES, span.end - offset)]
            disk.read(offset, part)
            total.update(part)
            progress.done_bytes += len(part)
            progress.read_back_bytes += len(part)
        if total.hexdigest() != span.sha256:
            raise UnitFailed(
                "read-back", f"The drive gives back something else at byte {span.offset}."
            )


def fit_table(disk: Disk, sector: int, grow: str | None) -> Table:
    """Bring the second copy of the table to the drive's end and return what is there then.

    The partition `grow` is made as large as it can be. Raises `UnitFailed` unless both copies are
    whole afterwards, with the partitions and PARTUUIDs of the image.
    """

    def read(offset: int, size: int) -> bytes:
        return read_bytes(disk, offset, size)

    with drive_faults():
        try:
            image = read_table(read, sector)
            wanted = image.grown(grow, disk.size_bytes) if grow else image
            for offset, content in packed_table(wanted, disk.size_bytes).items():
                _patch(disk, offset, content, _buffer_for(len(content)))
            disk.flush()
            first = read_table(read, sector)
            second = read_table(read, sector, first.backup_offset)
        except BadTable as error:
            raise UnitFailed("partition table", str(error)) from error
    at_end = disk.size_bytes // sector * sector - sector
    if first.entries != wanted.entries or second.entries != wanted.entries:
        raise UnitFailed("partition table", "The partitions are not those of the image.")
    if first.ids != image.ids or first.backup_offset != at_end:
        raise UnitFailed("partition table", "The second copy of the table is not at the end.")
    return first


def write_partition(disk: Disk, offset: int, content: bytes) -> str:
    """Write a whole partition, read it back and return the SHA-256 of what came back."""
    whole, buffer = memoryview(content), _buffer_for(PIECE_BYTES)
    pieces = {at: whole[at : at + PIECE_BYTES] for at in range(0, len(whole), PIECE_BYTES)}
    total = hashlib.sha256()
    with drive_faults():
        for at, piece in pieces.items():
            _patch(disk, offset + at, piece, buffer)
        disk.flush()
        for at, piece in pieces.items():
            found = _read_into(buffer, disk, offset + at, len(piece))
            if found.tobytes() != piece.tobytes():  # a view is compared number by number
                told = f"The drive gives back something else at byte {offset}."
                raise UnitFailed("read-back", told)
            total.update(found)
    return total.hexdigest()


def read_bytes(disk: Disk, offset: int, size: int) -> bytes:
    """Return any range of a drive that only gives whole pages."""
    return bytes(_read_into(_buffer_for(size), disk, offset, size))


def _buffer_for(size: int) -> memoryview:
    """Return memory for the pages around a range of `size` bytes."""
    return memoryview(aligned_buffer(size + 2 * ALIGNMENT))


def _read_into(buffer: memoryview, disk: Disk, offset: int, size: int) -> memoryview:
    """Return any range of a drive, in `buffer`."""
    begin, end = _pages(disk, offset, size)
    disk.read(begin, buffer[: end - begin])
    return buffer[offset - begin : offset - begin + size]


def _patch(disk: Disk, offset: int, content: bytes | memoryview, buffer: memoryview) -> None:
    """Write any range, keeping what else is on its pages."""
    begin, end = _pages(disk, offset, len(content))
    pages = buffer[: end - begin]
    if (begin, end) != (offset, offset + len(content)):
        disk.read(begin, pages)
    pages[offset - begin : offset - begin + len(content)] = content
    disk.write(begin, pages)


def _pages(disk: Disk, offset: int, size: int) -> tuple[int, int]:
    """Return the pages around a range; a drive may end within its last one."""
    end = -(-(offset + size) // ALIGNMENT) * ALIGNMENT
    return offset // ALIGNMENT * ALIGNMENT, min(end, disk.size_bytes)
