"""Uploaded files by their content: written to a temporary name, synced, renamed."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from allerac.errors import InsufficientDisk, PayloadTooLarge, StorageUnavailable

MAX_FILE_BYTES: Final = 200 * 1024 * 1024
SPARE_BYTES: Final = 256 * 1024 * 1024
"""What an upload leaves free on the disk: messages and settings must still be kept."""
NO_SPACE: Final = 28  # ENOSPC


@dataclass(frozen=True, slots=True)
class Blob:
    """What has been stored."""

    sha256: str
    size_bytes: int


class BlobStore:
    """The folder `blobs/`: one file for each content, named by its SHA-256."""

    def __init__(
        self,
        folder: Path,
        *,
        max_file_bytes: int = MAX_FILE_BYTES,
        free_bytes: Callable[[Path], int] | None = None,
    ) -> None:
        self._folder = folder
        self._max_file_bytes = max_file_bytes
        self._free_bytes = free_bytes or _free_bytes

    def path(self, sha256: str) -> Path:
        """Where the content of this hash is, or would be."""
        return self._folder / sha256[:2] / sha256

    async def store(
        self, name: str, data: AsyncIterator[bytes], on_bytes: Callable[[int], None]
    ) -> Blob:
        """Keep what `data` yields; `name` is unique among those arriving now.

        Raises `PayloadTooLarge`, `InsufficientDisk`, `StorageUnavailable`; then nothing is left.
        """
        part = self._folder / f"{name}.part"
        digest, size = hashlib.sha256(), 0
        try:
            await asyncio.to_thread(self._require_room, 0)
            with await asyncio.to_thread(_create, part) as file:
                async for piece in data:
                    size += len(piece)
                    if size > self._max_file_bytes:
                        raise _too_large(self._max_file_bytes)
                    digest.update(piece)
                    await asyncio.to_thread(file.write, piece)
                    on_bytes(size)
                await asyncio.to_thread(_sync, file.fileno())
            self._require_room(0)
            blob = Blob(digest.hexdigest(), size)
            await asyncio.to_thread(_move, part, self.path(blob.sha256))
        except OSError as error:
            raise _unwritten(error, self._free_bytes(self._folder)) from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        return blob

    async def remove(self, sha256: str) -> None:
        """Delete a content for good."""
        await asyncio.to_thread(lambda: self.path(sha256).unlink(missing_ok=True))

    async def tidy(self, in_use: Iterable[str]) -> None:
        """Delete what was left half written or without a document when the power went."""
        await asyncio.to_thread(self._tidy, frozenset(in_use))

    def _tidy(self, in_use: frozenset[str]) -> None:
        for path in self._folder.glob("*"):
            if path.suffix == ".part":
                path.unlink(missing_ok=True)
            elif path.is_dir() and len(path.name) == 2:
                for blob in path.iterdir():
                    if blob.name not in in_use:
                        blob.unlink(missing_ok=True)

    def _require_room(self, needed: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        available = self._free_bytes(self._folder) - SPARE_BYTES
        if available < needed or available <= 0:
            raise _no_room(available)


async def read_file(path: Path) -> AsyncIterator[bytes]:
    """Yield the content of a file that lies on this machine. Raises `StorageUnavailable`."""
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except OSError as error:
        raise StorageUnavailable("The file could not be read.", hint="Try again.") from error
    with file:
        while piece := await asyncio.to_thread(file.read, 1 << 20):
            yield piece


def _free_bytes(folder: Path) -> int:
    facts = os.statvfs(folder)
    return facts.f_bavail * facts.f_frsize


def _create(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path.open("wb")


def _sync(descriptor: int) -> None:
    os.fsync(descriptor)


def _move(part: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"A document may have up to {limit // (1024 * 1024)} MB.",
        hint="Split it into smaller documents.",
    )


def _no_room(available: int) -> InsufficientDisk:
    return InsufficientDisk(
        "There is not enough room on the disk for this document.",
        needed_bytes=SPARE_BYTES,
        available_bytes=max(0, available),
    )


def _unwritten(error: OSError, available: int) -> InsufficientDisk | StorageUnavailable:
    if error.errno == NO_SPACE:
        return _no_room(available)
    return StorageUnavailable(
        "The disk did not take the document.", hint="Check that the disk has room, then try again."
    )
