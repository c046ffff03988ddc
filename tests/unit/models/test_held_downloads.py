"""Downloads that wait for room on the disk, over restarts of the box too."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from allerac.models import ModelRoom
from tests.fakes import FakeEngine

from .conftest import CHOICE, MACHINE, MODEL, Room, open_room, pin_of
from .file_server import FileServer

BEGUN = 300_000


class NoChoice:
    """Nobody has chosen a model yet."""

    async def load(self) -> str | None:
        return None

    async def save(self, model_id: str) -> None:
        raise AssertionError("nobody chooses")


class Disk:
    """Tells how much room there is."""

    free = 10**12

    def free_bytes(self, _: Path) -> int:
        return self.free


@asynccontextmanager
async def started(
    server: FileServer, folder: Path, content: bytes, free_bytes: Callable[[Path], int]
) -> AsyncIterator[tuple[ModelRoom, Room]]:
    """A box's models from its start to its end."""
    room = await open_room(server, folder, {MODEL: pin_of(content)}, free_bytes=free_bytes)
    models = ModelRoom(
        files=room.service, engine=FakeEngine(), default=NoChoice(), machine=MACHINE, choice=CHOICE
    )
    await models.start()
    try:
        yield models, room
    finally:
        await models.stop()


async def _hold_one(server: FileServer, folder: Path, content: bytes, disk: Disk) -> None:
    """Begin a download, run short of room, and end the run."""
    server.script.append(server.stall_after(BEGUN))
    async with started(server, folder, content, disk.free_bytes) as (models, room):
        await models.download(MODEL)
        await room.received(BEGUN)
        disk.free = 0
        await models.hold_downloads()
        assert room.service.get(MODEL).state == "paused"


async def test_a_held_download_goes_on_after_a_restart_when_there_is_room(
    server: FileServer, content: bytes, tmp_path: Path
) -> None:
    disk = Disk()
    await _hold_one(server, tmp_path, content, disk)
    disk.free = 10**12
    async with started(server, tmp_path, content, disk.free_bytes) as (_, room):
        assert (await room.settled()).state == "installed"
        assert room.server.requests[-1].offset == BEGUN


async def test_without_room_after_a_restart_it_waits_until_there_is(
    server: FileServer, content: bytes, tmp_path: Path
) -> None:
    disk = Disk()
    await _hold_one(server, tmp_path, content, disk)
    for _ in range(2):
        async with started(server, tmp_path, content, disk.free_bytes) as (models, room):
            assert room.service.get(MODEL).state == "paused"
            await models.hold_downloads()
    async with started(server, tmp_path, content, disk.free_bytes) as (models, room):
        await models.hold_downloads()
        disk.free = 10**12
        await models.release_downloads()
        assert (await room.settled()).state == "installed"


async def test_a_download_that_was_ended_while_it_waited_does_not_come_back(
    server: FileServer, content: bytes, tmp_path: Path
) -> None:
    disk = Disk()
    await _hold_one(server, tmp_path, content, disk)
    async with started(server, tmp_path, content, disk.free_bytes) as (models, room):
        await models.cancel(MODEL)
    disk.free = 10**12
    async with started(server, tmp_path, content, disk.free_bytes) as (models, room):
        assert room.service.get(MODEL).state == "available"


async def test_a_download_that_a_person_paused_stays_paused_after_a_restart(
    server: FileServer, content: bytes, tmp_path: Path
) -> None:
    disk = Disk()
    server.script.append(server.stall_after(BEGUN))
    async with started(server, tmp_path, content, disk.free_bytes) as (models, room):
        await models.download(MODEL)
        await room.received(BEGUN)
        await models.pause(MODEL)
        await models.hold_downloads()
        await models.release_downloads()
    async with started(server, tmp_path, content, disk.free_bytes) as (models, room):
        assert room.service.get(MODEL).state == "paused"


@pytest.mark.parametrize("text", [b"\xff\xfe\x00", b"no-such-model\n../../etc\n"])
async def test_a_list_that_cannot_be_read_holds_up_nothing(
    server: FileServer, content: bytes, tmp_path: Path, text: bytes
) -> None:
    disk = Disk()
    await _hold_one(server, tmp_path, content, disk)
    (tmp_path / "downloads/held").write_bytes(text)
    disk.free = 10**12
    async with started(server, tmp_path, content, disk.free_bytes) as (models, room):
        assert room.service.get(MODEL).state == "paused"
        await models.resume(MODEL)
        assert (await room.settled()).state == "installed"
