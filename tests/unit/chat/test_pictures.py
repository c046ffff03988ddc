"""Pictures belong to the conversation they were sent in, and go with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from allerac.chat.pictures import PictureService
from allerac.errors import Conflict, InsufficientDisk, InvalidInput, NotFound, PayloadTooLarge
from allerac.storage.pictures import PER_MESSAGE, PictureStore
from tests import pictures
from tests.chat_room import Room, open_room

LONG_AGO = timedelta(days=400)


async def stream(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 7):
        yield data[start : start + 7]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Room, PictureService]]:
    async with open_room(folder) as room:
        yield room, PictureService(PictureStore(room.database), folder / "pictures")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("pictures/*"))


async def test_picture_belongs_to_the_message_that_was_sent_with_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as (room, service):
        conversation = await room.conversation()
        made = await service.add("ana", conversation, "one", stream(pictures.jpeg()))
        assert made.message_id is None
        assert await service.of_conversation("ana", conversation) == []
        sent = await room.say(conversation, "Look!", client_id="one")
        (listed,) = await service.of_conversation("ana", conversation)
        assert (listed.id, listed.message_id) == (made.id, sent.message.id)
        kept = await service.get("ana", made.id)
        assert (kept.kind, pictures.PLACE in kept.path.read_bytes()) == ("jpeg", False)
        await room.ended(sent.answer.id)


async def test_picture_of_another_person_does_not_exist(tmp_path: Path) -> None:
    async with opened(tmp_path) as (room, service):
        conversation = await room.conversation()
        made = await service.add("ana", conversation, "one", stream(pictures.png()))
        with pytest.raises(NotFound):
            await service.get("ben", made.id)
        with pytest.raises(NotFound):
            await service.of_conversation("ben", conversation)
        with pytest.raises(NotFound):
            await service.add("ben", conversation, "one", stream(pictures.png()))
        assert files(tmp_path) == [made.id]


async def test_what_is_refused_leaves_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as (room, service):
        conversation = await room.conversation()
        store, folder = PictureStore(room.database), tmp_path / "pictures"
        small = PictureService(store, folder, max_bytes=64)
        full = PictureService(store, folder, free_bytes=lambda _: 0)
        with pytest.raises(InvalidInput):
            await service.add("ana", conversation, "one", stream(b"<html>"))
        with pytest.raises(PayloadTooLarge):
            await small.add("ana", conversation, "one", stream(pictures.jpeg()))
        with pytest.raises(InsufficientDisk):
            await full.add("ana", conversation, "one", stream(pictures.jpeg()))
        assert files(tmp_path) == []
        for _ in range(PER_MESSAGE):
            await service.add("ana", conversation, "one", stream(pictures.gif()))
        with pytest.raises(Conflict):
            await service.add("ana", conversation, "one", stream(pictures.gif()))
        assert len(files(tmp_path)) == PER_MESSAGE


async def test_pictures_go_with_their_conversation(tmp_path: Path) -> None:
    async with opened(tmp_path) as (room, service):
        gone, stays = await room.conversation(), await room.conversation()
        for conversation in (gone, stays):
            await service.add("ana", conversation, "one", stream(pictures.png()))
            sent = await room.say(conversation, "Look!", client_id="one")
            await room.ended(sent.answer.id)
        (lost,) = await service.of_conversation("ana", gone)
        (kept,) = await service.of_conversation("ana", stays)
        await room.chat.delete_conversation("ana", gone)
        with pytest.raises(NotFound):
            await service.get("ana", lost.id)
        await service.start()
        assert files(tmp_path) == sorted([lost.id, kept.id])  # it can still be restored
        await room.store.purge_deleted(datetime.now(UTC) + LONG_AGO)
        await service.start()
        assert files(tmp_path) == [kept.id]


async def test_pictures_go_with_their_person(tmp_path: Path) -> None:
    async with opened(tmp_path) as (room, service):
        conversation = await room.conversation()
        await service.add("ana", conversation, "one", stream(pictures.png()))
        await service.forget("ben")
        assert len(files(tmp_path)) == 1
        await service.forget("ana")
        assert files(tmp_path) == []


async def test_picture_whose_message_was_never_sent_goes_after_a_day(tmp_path: Path) -> None:
    async with opened(tmp_path) as (room, service):
        conversation = await room.conversation()
        made = await service.add("ana", conversation, "never", stream(pictures.png()))
        (tmp_path / "pictures" / "half-written").write_bytes(b"\xff\xd8")
        await service.start()
        assert files(tmp_path) == [made.id]
        await PictureStore(room.database).settle(datetime.now(UTC) + LONG_AGO)
        await service.start()
        assert files(tmp_path) == []
