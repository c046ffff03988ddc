"""SSH is opened by somebody, for so long, and every end is recorded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from allerac.errors import Conflict, InvalidInput, NotFound, Unavailable
from allerac.ssh import SshService
from allerac.storage import Database
from allerac.storage.ssh import MAX_KEYS, SshActor, SshStore

from .box_system import BoxSystem, box_system
from .public_keys import ED25519, RSA_3072, another_key

ANA = SshActor("Ana", "192.168.1.23", "Firefox")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = 3600
SECONDS = 20


@dataclass
class Household:
    """A box with its system, whose clock is set by the test."""

    system: BoxSystem
    store: SshStore
    now: datetime = NOON

    def service(self, *, patience_seconds: float = 20.0) -> SshService:
        """Return the service of a runtime that starts."""
        door = self.system.door(patience_seconds=patience_seconds)
        return SshService(self.store, door, clock=lambda: self.now)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SshService]:
        service = self.service()
        await service.start()
        try:
            yield service
        finally:
            await service.stop()

    async def acts(self) -> list[str]:
        """Return what was recorded, the first first."""
        return [event.act for event in reversed(await self.store.events(100))]

    async def until_recorded(self, act: str) -> None:
        async with asyncio.timeout(SECONDS):
            while act not in await self.acts():  # noqa: ASYNC110 - the record has no event to wait on
                await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def home(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Household]:
    wishes = tmp_path_factory.mktemp("wishes")
    database = Database(tmp_path / "allerac.sqlite")
    await database.open()
    async with box_system(wishes) as system:
        yield Household(system, SshStore(database))
    await database.close()


async def test_it_opens_for_the_keys_of_the_list_and_says_until_when(home: Household) -> None:
    service = home.service()
    await service.add_key(f"{ED25519} Ana's laptop", ANA)
    status = await service.open(8, ANA)
    assert status.open_until == NOON + timedelta(hours=8)
    assert home.system.let_in() == [f"{ED25519} Ana's laptop"]
    assert home.system.is_open
    (opened, added) = status.events
    assert (opened.act, opened.person_name, opened.address) == ("opened", "Ana", ANA.address)
    assert (opened.agent, opened.detail) == ("Firefox", "8 h")
    assert (added.act, added.detail) == ("key_added", status.keys[0].fingerprint)


async def test_without_a_key_it_is_not_opened(home: Household) -> None:
    with pytest.raises(Conflict, match="Nobody could sign in"):
        await home.service().open(1, ANA)
    assert not home.system.is_open
    assert await home.acts() == []


async def test_it_is_opened_once_at_a_time(home: Household) -> None:
    service = home.service()
    await service.add_key(ED25519, ANA)
    both = await asyncio.gather(service.open(1, ANA), service.open(24, ANA), return_exceptions=True)
    assert [type(each) for each in both if isinstance(each, Exception)] == [Conflict]
    assert (await home.acts()).count("opened") == 1


async def test_closing_twice_is_recorded_once(home: Household) -> None:
    service = home.service()
    await service.add_key(ED25519, ANA)
    await service.open(1, ANA)
    await asyncio.gather(service.close(ANA), service.close(ANA))
    assert not home.system.is_open
    assert (await home.acts())[1:] == ["opened", "closed"]


async def test_one_that_does_not_open_is_recorded_as_that(home: Household) -> None:
    service = home.service(patience_seconds=0.3)
    await service.add_key(ED25519, ANA)
    home.system.obeys = False
    with pytest.raises(Unavailable):
        await service.open(1, ANA)
    assert await home.acts() == ["key_added", "opened", "not_opened"]
    assert service.open_until() is None


async def test_a_key_that_is_added_while_it_is_open_is_let_in_at_once(home: Household) -> None:
    service = home.service()
    await service.add_key(ED25519, ANA)
    await service.open(1, ANA)
    await service.add_key(RSA_3072, ANA)
    assert home.system.let_in() == [ED25519, RSA_3072]


async def test_a_key_that_is_removed_ends_what_its_owner_does(home: Household) -> None:
    service = home.service()
    key = await service.add_key(ED25519, ANA)
    await service.open(1, ANA)
    await service.remove_key(key.id, ANA)
    assert not home.system.is_open
    assert await home.acts() == ["key_added", "opened", "key_removed", "closed"]
    with pytest.raises(NotFound):
        await service.remove_key(key.id, ANA)


async def test_a_key_is_kept_once_and_there_is_room_for_so_many(home: Household) -> None:
    service = home.service()
    await service.add_key(ED25519, ANA)
    with pytest.raises(Conflict, match="already"):
        await service.add_key(f"{ED25519} again", ANA)
    for _ in range(MAX_KEYS - 1):
        await service.add_key(another_key(), ANA)
    with pytest.raises(Conflict, match="no room"):
        await service.add_key(RSA_3072, ANA)
    with pytest.raises(InvalidInput):
        await service.add_key("ssh-rsa", ANA)
    assert (await home.acts()) == ["key_added"] * MAX_KEYS


async def test_the_end_of_its_time_is_recorded_by_the_runtime_that_runs_then(
    home: Household,
) -> None:
    async with home.running() as service:
        await service.add_key(ED25519, ANA)
        await service.open(1, ANA)
    await home.system.end()
    home.system.now += HOUR
    async with home.running() as service:
        await home.until_recorded("closed_by_time")
        assert service.open_until() is None
    assert await home.acts() == ["key_added", "opened", "closed_by_time"]


async def test_a_clock_that_jumps_moves_what_is_shown_and_never_the_end(home: Household) -> None:
    service = home.service()
    await service.add_key(ED25519, ANA)
    await service.open(1, ANA)
    for jump in (timedelta(days=-20_000), timedelta(days=3650)):
        home.now = NOON + jump
        home.system.now += 60
        left = (service.open_until() or NOON) - home.now
        assert timedelta() < left < timedelta(hours=1)
        assert home.system.is_open
    home.system.now += HOUR
    assert service.open_until() is None


async def test_a_restart_of_the_box_closes_it_and_is_recorded(home: Household) -> None:
    service = home.service()
    await service.add_key(ED25519, ANA)
    await service.open(24, ANA)
    await home.system.end()
    for file in home.system.folder.iterdir():
        file.unlink()  # the folder lies in memory
    for _ in range(2):
        async with home.running() as after:
            await home.until_recorded("closed_by_restart")
            assert after.open_until() is None
    assert await home.acts() == ["key_added", "opened", "closed_by_restart"]


async def test_a_runtime_that_died_while_it_opened_closes_what_it_left(home: Household) -> None:
    service = home.service()
    await service.add_key(ED25519, ANA)
    await service.open(1, ANA)
    (home.system.folder / "until").unlink()  # written last
    async with home.running():
        await home.until_recorded("closed_by_restart")
    assert not home.system.is_open


async def test_a_machine_whose_ssh_is_its_owners_says_so(home: Household) -> None:
    service = SshService(home.store, None)
    await service.start()
    status = await service.status()
    assert (status.supported, status.open_until, status.host_key) == (False, None, None)
    with pytest.raises(Conflict, match="not Allerac's"):
        await service.open(1, ANA)
    with pytest.raises(Conflict, match="not Allerac's"):
        await service.add_key(ED25519, ANA)
    await service.stop()
