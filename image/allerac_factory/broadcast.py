"""An image is read and unpacked once, and every piece of it goes to all drives.

Pieces live in a fixed pool of buffers. A drive that is slow holds the others back; one that does
not answer at all is given up, so that it cannot.
"""

import fcntl
import hashlib
import queue
import subprocess
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from allerac_image.errors import ImageError
from allerac_image.log import PATH

from .bmap import BlockMap, Span
from .disk import aligned_buffer
from .errors import UnitFailed

PIECE_BYTES = 4 << 20
"""Above some MiB drives do not get quicker."""

POOL = 16
"""Buffers for all drives together."""

STALL_SECONDS = 120.0
"""Longer than a drive that corrects errors needs; its own timeout is 30 s in Linux."""

CLEARING_SECONDS = 3600.0
"""For the slowest drive that has to write zeros where others just forget."""

PIPE_BYTES = 1 << 20
F_SETPIPE_SZ = 1031
"""Linux, include/uapi/linux/fcntl.h."""


class Piece:
    """Some bytes of the image, until everybody has written them."""

    def __init__(self, offset: int, content: memoryview, readers: int, pool: "Pool") -> None:
        self.offset = offset
        self.content = content
        self._left = readers
        self._pool = pool
        self._lock = threading.Lock()

    def release(self) -> None:
        """Say that one of those it went to is done with it."""
        with self._lock:
            self._left -= 1
            is_free = self._left == 0
        if is_free:
            self._pool.give_back(self.content)


class Pool:
    """Buffers of `PIECE_BYTES`."""

    def __init__(self, count: int = POOL) -> None:
        self._free: queue.SimpleQueue[memoryview] = queue.SimpleQueue()
        for _ in range(count):
            self.add()

    def add(self) -> None:
        """Have one more."""
        self._free.put(memoryview(aligned_buffer(PIECE_BYTES)))

    def take(self, seconds: float) -> memoryview | None:
        """Return a free buffer, None when there was none for so long."""
        try:
            return self._free.get(timeout=seconds)
        except queue.Empty:
            return None

    def give_back(self, content: memoryview) -> None:
        """Take a buffer back; `content` may be the beginning of it."""
        self._free.put(memoryview(content.obj))


class Channel:
    """What comes for one drive."""

    def __init__(self) -> None:
        self._pieces: queue.SimpleQueue[Piece | Exception | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._is_closed = False
        self._is_wanted = threading.Event()
        self._busy_since: float | None = None

    def put(self, piece: Piece) -> None:
        """Add a piece; one that nobody will take any more is released at once."""
        with self._lock:
            if not self._is_closed:
                self._pieces.put(piece)
                return
        piece.release()

    def end(self, reason: Exception | None = None) -> None:
        """Say that nothing comes any more."""
        self._pieces.put(reason)

    def pieces(self) -> Generator[Piece]:
        """Yield the pieces in order, each good until the next is asked for.

        Raises what `end` was given, and `UnitFailed` when the drive was given up meanwhile.
        """
        self._is_wanted.set()
        try:
            while True:
                piece = self._pieces.get()
                if piece is None:
                    return
                if isinstance(piece, Exception):
                    raise piece
                self._busy_since = time.monotonic()
                try:
                    yield piece
                finally:
                    self._busy_since = None
                    piece.release()
        finally:
            self.close()

    def close(self) -> None:
        """Release what was not taken."""
        self._is_wanted.set()
        with self._lock:
            self._is_closed = True
            while not self._pieces.empty():
                piece = self._pieces.get()
                if isinstance(piece, Piece):
                    piece.release()

    def is_wanted(self, seconds: float) -> bool:
        """Wait until the drive takes pieces, or will not any more; False when it does neither."""
        return self._is_wanted.wait(seconds)

    def is_stalled(self, seconds: float) -> bool:
        """Whether one piece has been in the drive's hands for longer."""
        since = self._busy_since
        return since is not None and time.monotonic() - since > seconds

    def give_up(self, seconds: float) -> None:
        """Close it for a drive that does not answer; it is told when it does."""
        self.close()
        self._pieces.put(UnitFailed("stalled", f"It did not answer for {seconds:.0f} s."))


class Broadcast:
    """Hands the mapped blocks of `image` to all `channels`."""

    def __init__(
        self,
        image: Path,
        blocks: BlockMap,
        channels: Sequence[Channel],
        stall_seconds: float = STALL_SECONDS,
        clearing_seconds: float = CLEARING_SECONDS,
    ) -> None:
        self._image = image
        self._blocks = blocks
        self._channels = list(channels)
        self._stall_seconds = stall_seconds
        self._clearing_seconds = clearing_seconds
        self._pool = Pool()

    def run(self) -> None:
        """Read it all once every drive is clear; tell all what is wrong with the image."""
        reason: Exception | None = None
        end = time.monotonic() + self._clearing_seconds
        for channel in self._channels:
            if not channel.is_wanted(max(0.0, end - time.monotonic())):
                channel.give_up(self._clearing_seconds)
        try:
            with _unpacked(self._image) as stream:
                self._read(stream)
        except (OSError, ImageError) as error:
            reason = UnitFailed("image", f"{self._image.name}: {error}")
        for channel in self._channels:
            channel.end(reason)

    def _read(self, stream: IO[bytes]) -> None:
        at = 0
        for span in self._blocks.spans:
            _skip(stream, span.offset - at)
            self._read_span(stream, span)
            at = span.end

    def _read_span(self, stream: IO[bytes], span: Span) -> None:
        total = hashlib.sha256()
        for offset in range(span.offset, span.end, PIECE_BYTES):
            size = min(PIECE_BYTES, span.end - offset)
            content = self._buffer()[:size]
            _fill(stream, content)
            total.update(content)
            piece = Piece(offset, content, len(self._channels), self._pool)
            for channel in self._channels:
                channel.put(piece)
        if total.hexdigest() != span.sha256:
            raise ImageError(f"the blocks at byte {span.offset} are not those that were signed")

    def _buffer(self) -> memoryview:
        while True:
            buffer = self._pool.take(self._stall_seconds / 4)
            if buffer is not None:
                return buffer
            for channel in self._channels:
                if channel.is_stalled(self._stall_seconds):
                    channel.give_up(self._stall_seconds)
                    self._pool.add()  # in place of the one that is in its hands


@contextmanager
def _unpacked(image: Path) -> Iterator[IO[bytes]]:
    command = ["zstd", "--decompress", "--stdout", "--quiet", str(image)]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": PATH},
    ) as process:
        if process.stdout is None:
            raise ImageError("zstd gives nothing to read")
        fcntl.fcntl(process.stdout, F_SETPIPE_SZ, PIPE_BYTES)
        try:
            yield process.stdout
        finally:
            process.kill()  # what follows the last mapped block is not needed


def _fill(stream: IO[bytes], buffer: memoryview) -> None:
    done = 0
    while done < len(buffer):
        count = stream.readinto(buffer[done:])  # type: ignore[attr-defined]  # a buffered pipe
        if not count:
            raise ImageError("it ends too early")
        done += count


def _skip(stream: IO[bytes], size: int) -> None:
    while size:
        count = len(stream.read(min(size, PIECE_BYTES)))
        if not count:
            raise ImageError("it ends too early")
        size -= count
