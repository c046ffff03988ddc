"""An unpacked image is read once, and every piece of it goes to all drives.

Pieces live in a fixed pool of buffers. A drive that is slow holds the others back; one that does
not answer at all is given up, so that it cannot. Beside the drives one thread compares the same
buffers with the signed map: what is proven is what was written, whatever became of the file.
"""

import hashlib
import os
import queue
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path

from allerac_image.errors import ImageError

from .bmap import BlockMap
from .disk import aligned_buffer, read_fully
from .errors import IMAGE, UnitFailed

PIECE_BYTES = 4 << 20
"""Above some MiB drives do not get quicker."""

POOL = 16
"""Buffers for all drives together."""

STALL_SECONDS = 120.0
"""Longer than a drive that corrects errors needs; its own timeout is 30 s in Linux."""

CLEARING_SECONDS = 3600.0
"""For the slowest drive that has to write zeros where others just forget."""


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


class Proof:
    """Compares all pieces with the map in a thread of its own; hashing lets the others run."""

    def __init__(self, blocks: BlockMap) -> None:
        self.channel = Channel()
        self._blocks = blocks
        self._is_proven = False
        self._reason: ImageError | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def has_failed(self) -> bool:
        """Whether something else came than was signed."""
        return self._reason is not None

    def finish(self) -> None:
        """Wait for the end; raise `ImageError` unless all came, and as it was signed."""
        self._thread.join()
        if not self._is_proven:
            raise self._reason or ImageError("it was not compared to its end")

    def _run(self) -> None:
        pieces = self.channel.pieces()
        try:
            for span in self._blocks.spans:
                total, end = hashlib.sha256(), span.offset
                while end < span.end:
                    piece = next(pieces, None)
                    if piece is None:
                        return  # the reading failed, and says why
                    total.update(piece.content)
                    end = piece.offset + len(piece.content)
                if total.hexdigest() != span.sha256:
                    self._reason = ImageError(
                        f"the blocks at byte {span.offset} are not those that were signed"
                    )
                    return
            self._is_proven = True
        finally:
            pieces.close()


class Broadcast:
    """Hands the mapped blocks of `image`, a disk as it lies on a drive, to all `channels`."""

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
            self._send()
        except (OSError, ImageError) as error:
            told = f"The unpacked image is damaged: {error}. Begin again, it is unpacked anew."
            reason = UnitFailed(IMAGE, told)
        for channel in self._channels:
            channel.end(reason)

    def _send(self) -> None:
        with self._image.open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
            proof = Proof(self._blocks)
            try:
                self._read(file.fileno(), proof)
            finally:
                proof.channel.end()
            proof.finish()

    def _read(self, file: int, proof: Proof) -> None:
        receivers = [*self._channels, proof.channel]
        for span in self._blocks.spans:
            for offset in range(span.offset, span.end, PIECE_BYTES):
                content = self._buffer()[: min(PIECE_BYTES, span.end - offset)]
                if proof.has_failed:
                    return
                read_fully(file, offset, content)
                piece = Piece(offset, content, len(receivers), self._pool)
                for channel in receivers:
                    channel.put(piece)

    def _buffer(self) -> memoryview:
        while True:
            buffer = self._pool.take(self._stall_seconds / 4)
            if buffer is not None:
                return buffer
            for channel in self._channels:
                if channel.is_stalled(self._stall_seconds):
                    channel.give_up(self._stall_seconds)
                    self._pool.add()  # in place of the one that is in its hands
