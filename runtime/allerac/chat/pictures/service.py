"""Pictures of one person's conversations: taken in, shown, gone with what they belong to."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from allerac.errors import InsufficientDisk, NotFound, PayloadTooLarge, StorageUnavailable
from allerac.storage.ids import new_id
from allerac.storage.pictures import NewPicture, PictureKind, PictureRecord, PictureStore

from .content import clean

MAX_PICTURE_BYTES: Final = 20 * 1024 * 1024
SPARE_BYTES: Final = 256 * 1024 * 1024
"""What a picture leaves free on the disk: messages and settings must still be kept."""
UNSENT_FOR: Final = timedelta(days=1)
"""How long a picture waits for the message that it belongs to."""


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """Where the bytes of a picture are, and what they are."""

    path: Path
    kind: PictureKind


class PictureService:
    """Every method takes the caller's `person_id` and raises `NotFound` for what is not theirs."""

    def __init__(
        self,
        store: PictureStore,
        folder: Path,
        *,
        max_bytes: int = MAX_PICTURE_BYTES,
        free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    ) -> None:
        """`folder` has a file for each picture, named by its id."""
        self._store = store
        self._folder = folder
        self._max_bytes = max_bytes
        self._free_bytes = free_bytes

    async def start(self) -> None:
        """Delete what no conversation has any more, or never had."""
        left = await self._store.settle(datetime.now(UTC) - UNSENT_FOR)
        await asyncio.to_thread(_tidy, self._folder, frozenset(left))

    async def add(
        self, person_id: str, conversation_id: str, client_id: str, data: AsyncIterator[bytes]
    ) -> PictureRecord:
        """Take in a picture of the message that is then sent with `client_id`.

        Raises `PayloadTooLarge`, `InvalidInput` for what is no picture, `Conflict` for too many,
        `InsufficientDisk`, `StorageUnavailable`.
        """
        await self._store.of_conversation(person_id, conversation_id)
        received = await self._received(data)
        picture = await asyncio.to_thread(clean, received)
        new = NewPicture(
            id=new_id(),
            conversation_id=conversation_id,
            client_id=client_id,
            kind=picture.kind,
            width=picture.width,
            height=picture.height,
            size_bytes=len(picture.data),
            created_at=datetime.now(UTC),
        )
        path = self._folder / new.id
        try:
            await asyncio.to_thread(self._write, path, picture.data)
            return await self._store.add(person_id, new)
        except BaseException as error:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise StorageUnavailable(
                    "The disk did not take the picture.", hint="Try again."
                ) from error
            raise

    async def of_conversation(
        self, person_id: str, conversation_id: str
    ) -> Sequence[PictureRecord]:
        """List the pictures that were sent in a conversation."""
        return await self._store.of_conversation(person_id, conversation_id)

    async def get(self, person_id: str, picture_id: str) -> KeptPicture:
        """Return where a picture is."""
        record = await self._store.get(person_id, picture_id)
        path = self._folder / record.id
        if not path.is_file():
            raise NotFound("This picture is no longer on the box.")
        return KeptPicture(path, record.kind)

    async def forget(self, person_id: str) -> None:
        """Delete the pictures of somebody who leaves."""
        gone = await self._store.forget(person_id)
        await asyncio.to_thread(_unlink, [self._folder / picture_id for picture_id in gone])

    async def _received(self, data: AsyncIterator[bytes]) -> bytes:
        received = bytearray()
        async for piece in data:
            received += piece
            if len(received) > self._max_bytes:
                raise PayloadTooLarge(
                    f"A picture may have up to {self._max_bytes // (1024 * 1024)} MB.",
                    hint="Make it smaller and send that one.",
                )
        return bytes(received)

    def _write(self, path: Path, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        available = self._free_bytes(self._folder) - SPARE_BYTES
        if available < len(data):
            raise InsufficientDisk(
                "There is not enough room on the disk for this picture.",
                needed_bytes=len(data),
                available_bytes=max(0, available),
            )
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _tidy(folder: Path, in_use: frozenset[str]) -> None:
    _unlink([path for path in folder.glob("*") if path.name not in in_use])


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
