"""The model that finds passages in documents: on offer beside those that answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from allerac.errors import Conflict
from allerac.models import ModelRoom
from tests.fakes import FakeEngine

from .conftest import CHOICE, MACHINE, MODEL, Room, open_room, pin_of
from .file_server import FileServer
from .test_held_downloads import NoChoice

EMBEDDING = "nomic-embed-text-v1.5-q8_0"
"""The one of the tier in CHOICE."""


@asynccontextmanager
async def started(
    server: FileServer, folder: Path, content: bytes
) -> AsyncIterator[tuple[ModelRoom, Room]]:
    embedding = pin_of(content, EMBEDDING).model_copy(update={"kind": "embedding"})
    other = pin_of(content, "another-tier").model_copy(update={"kind": "embedding"})
    pins = {MODEL: pin_of(content), EMBEDDING: embedding, other.id: other}
    room = await open_room(server, folder, pins)
    models = ModelRoom(
        files=room.service, engine=FakeEngine(), default=NoChoice(), machine=MACHINE, choice=CHOICE
    )
    await models.start()
    try:
        yield models, room
    finally:
        await models.stop()


async def test_the_tiers_own_is_listed_apart_from_those_that_answer(
    server: FileServer, content: bytes, tmp_path: Path
) -> None:
    async with started(server, tmp_path, content) as (models, _):
        listing = await models.listing()
        assert [card["id"] for card in listing.items] == [MODEL]
        assert listing.embedding is not None
        assert (listing.embedding["id"], listing.embedding["state"]) == (EMBEDDING, "available")


async def test_the_wizard_fetches_it_with_the_chosen_model(
    server: FileServer, content: bytes, tmp_path: Path
) -> None:
    async with started(server, tmp_path, content) as (models, room):
        await models.begin(MODEL, download=True)
        await room.settled()
        await room.until(lambda _: room.service.get(EMBEDDING).state == "installed")
        assert room.service.get(MODEL).state == "installed"
        assert room.service.get("another-tier").state == "available"


async def test_whoever_decides_later_fetches_nothing(
    server: FileServer, content: bytes, tmp_path: Path
) -> None:
    async with started(server, tmp_path, content) as (models, room):
        await models.begin(MODEL, download=False)
        assert room.service.get(EMBEDDING).state == "available"
        assert server.requests == []


async def test_it_never_answers(server: FileServer, content: bytes, tmp_path: Path) -> None:
    async with started(server, tmp_path, content) as (models, room):
        await models.download(EMBEDDING)
        await room.until(lambda _: room.service.get(EMBEDDING).state == "installed")
        with pytest.raises(Conflict):
            await models.set_default(EMBEDDING)
        assert await models.served() == []


async def test_its_download_waits_too_when_the_disk_is_short(
    server: FileServer, content: bytes, tmp_path: Path
) -> None:
    server.script.append(server.stall_after(1000))
    async with started(server, tmp_path, content) as (models, room):
        await models.download(EMBEDDING)
        await server.requested(1)
        await models.hold_downloads()
        assert room.service.get(EMBEDDING).state == "paused"
        await models.release_downloads()
        await room.until(lambda _: room.service.get(EMBEDDING).state == "installed")
