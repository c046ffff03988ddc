"""A drive while it is written: past the page cache, so that what is read back came from it."""

import contextlib
import fcntl
import mmap
import os
import struct
from pathlib import Path
from typing import Protocol, Self

ALIGNMENT = 4096
"""Of offsets, lengths and memory under O_DIRECT, for every drive there is (open(2))."""

BLKDISCARD = 0x1277
BLKZEROOUT = 0x127F
BLKRRPART = 0x125F
"""Linux, include/uapi/linux/fs.h."""

RANGE = struct.Struct("QQ")
ZEROS_AT_ONCE = 1 << 30


def aligned_buffer(size: int) -> mmap.mmap:
    """Return memory that a drive can be read into and written from directly."""
    return mmap.mmap(-1, -(-size // ALIGNMENT) * ALIGNMENT)


def read_fully(file: int, offset: int, into: memoryview) -> None:
    """Fill `into` from `offset` of an open file. Raises OSError when the file ends before."""
    done = 0
    while done < len(into):
        count = os.preadv(file, [into[done:]], offset + done)
        if count == 0:
            raise OSError(f"it ends before byte {offset + len(into)}")
        done += count


class Disk(Protocol):
    """What is written. Offsets and sizes are bytes, whole multiples of `ALIGNMENT`; all methods
    raise OSError when the drive fails or is gone.
    """

    path: Path
    size_bytes: int

    def write(self, offset: int, content: memoryview) -> None:
        """Write all of `content`, which begins on a page of memory."""

    def read(self, offset: int, into: memoryview) -> None:
        """Fill `into`, which begins on a page of memory."""

    def discard(self) -> None:
        """Tell the drive that nothing on it is needed any more, if it can be told."""

    def zero(self, offset: int, size: int) -> None:
        """Make a range read as zeros, as cheaply as the drive knows how."""

    def flush(self) -> None:
        """Return when everything written is kept through a power cut."""

    def close(self) -> None:
        """Let go of it; the system looks at its partitions anew."""


class BlockDisk:
    """A block device, held exclusively."""

    flags = os.O_RDWR | os.O_DIRECT | os.O_EXCL | os.O_CLOEXEC

    def __init__(self, path: Path, size_bytes: int) -> None:
        self.path = path
        self.size_bytes = size_bytes
        self._file = os.open(path, self.flags)

    def write(self, offset: int, content: memoryview) -> None:
        """Write past the page cache."""
        done = 0
        while done < len(content):
            done += os.pwrite(self._file, content[done:], offset + done)

    def read(self, offset: int, into: memoryview) -> None:
        """Read past the page cache."""
        read_fully(self._file, offset, into)

    def discard(self) -> None:
        """Discard the whole drive; many cannot, and do not have to."""
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._file, BLKDISCARD, RANGE.pack(0, self.size_bytes))

    def zero(self, offset: int, size: int) -> None:
        """Have the kernel zero the range: it unmaps where the drive promises zeros."""
        for begin in range(offset, offset + size, ZEROS_AT_ONCE):
            length = min(ZEROS_AT_ONCE, offset + size - begin)
            fcntl.ioctl(self._file, BLKZEROOUT, RANGE.pack(begin, length))

    def flush(self) -> None:
        """Flush the drive's own cache."""
        os.fsync(self._file)

    def close(self) -> None:
        """Close it; the kernel reads its partition table anew if it can."""
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._file, BLKRRPART)
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
