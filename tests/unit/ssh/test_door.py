"""The door to SSH says what is so, and leaves nothing half open."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from allerac.errors import Unavailable

from .box_system import BoxSystem, box_system

HOUR = 3600


@pytest_asyncio.fixture
async def system(tmp_path: Path) -> AsyncIterator[BoxSystem]:
    async with box_system(tmp_path) as system:
        yield system


async def test_it_is_closed_before_anybody_wished_anything(system: BoxSystem) -> None:
    door = system.door()
    assert door.seconds_left() is None
    assert not door.is_wished()
    assert not door.has_ended()
    assert door.host_key() is None


async def test_it_is_open_for_just_these_keys_until_its_time_is_up(system: BoxSystem) -> None:
    door = system.door()
    await door.open(["ssh-ed25519 AAAA ana", "ssh-ed25519 BBBB"], HOUR)
    assert system.is_open
    assert system.let_in() == ["ssh-ed25519 AAAA ana", "ssh-ed25519 BBBB"]
    assert door.seconds_left() == HOUR
    system.now += HOUR - 1
    assert door.seconds_left() == 1
    system.now += 1
    assert door.seconds_left() is None
    assert door.has_ended()


async def test_a_runtime_that_starts_again_knows_of_it(system: BoxSystem) -> None:
    await system.door().open(["key"], HOUR)
    system.now += 600
    assert system.door().seconds_left() == HOUR - 600


async def test_closing_ends_it_and_lets_nobody_in(system: BoxSystem) -> None:
    door = system.door()
    await door.open(["key"], HOUR)
    await door.close()
    assert not system.is_open
    assert system.let_in() == []
    assert door.seconds_left() is None
    assert not door.is_wished()


async def test_what_does_not_open_is_wished_closed_and_said_so(system: BoxSystem) -> None:
    system.obeys = False
    with pytest.raises(Unavailable, match="could not be opened"):
        await system.door(patience_seconds=0.3).open(["key"], HOUR)
    assert (system.folder / "wish").read_text() == "0\n"
    assert system.let_in() == []
    assert system.door().seconds_left() is None


async def test_what_does_not_close_is_never_called_closed(system: BoxSystem) -> None:
    door = system.door(patience_seconds=0.3)
    await door.open(["key"], HOUR)
    system.obeys = False
    with pytest.raises(Unavailable, match="could not be closed"):
        await door.close()
    assert door.seconds_left() == HOUR
    assert system.let_in() == []


async def test_a_folder_that_is_gone_opens_nothing(system: BoxSystem) -> None:
    door = system.door(patience_seconds=0.3)
    (system.folder / "wish").mkdir()
    with pytest.raises(Unavailable):
        await door.open(["key"], HOUR)
    assert not system.is_open


@pytest.mark.parametrize("text", ["", "for ever", "\xff", "nan", "1e400000000", "-1"])
async def test_a_spoiled_time_is_no_opening(system: BoxSystem, text: str) -> None:
    (system.folder / "until").write_text(text, "latin-1")
    assert system.door().seconds_left() is None


async def test_the_host_key_is_told_once_it_is_made(system: BoxSystem) -> None:
    blob = base64.b64encode(b"the key").decode()
    (system.folder / "host_key.pub").write_text(f"ssh-ed25519 {blob}\n")
    assert system.door().host_key() == b"the key"
    (system.folder / "host_key.pub").write_text("ssh-ed25519")
    assert system.door().host_key() is None
