"""A stream lasts as long as the session or the key behind it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from allerac.accounts import AccountService, Passwords, Principal
from allerac.accounts.codes import hash_token
from allerac.errors import StorageUnavailable
from allerac.storage.accounts import AccountStore, NewSession
from allerac.storage.attempts import AttemptStore
from allerac.storage.database import Database
from allerac.storage.invitations import InvitationStore
from tests.chat_room import open_room


class FullDisk(AccountStore):
    """Accounts on a disk without room for one more row."""

    async def touch_session(self, session_id: str, now: datetime, expires_at: datetime) -> None:
        """Nothing can be noted."""
        raise StorageUnavailable("The disk is full.")

    async def touch_api_key(self, key_id: str, now: datetime) -> None:
        """Nothing can be noted."""
        raise StorageUnavailable("The disk is full.")


@dataclass(slots=True)
class Door:
    """Accounts, also on a full disk, with Ana signed in by a browser and by a program."""

    accounts: AccountService
    without_room: AccountService
    browser: Principal
    program: Principal
    key: str
    now: list[datetime]

    def turn(self, **amount: float) -> None:
        """Let time pass."""
        self.now[0] += timedelta(**amount)


def _service(store: AccountStore, database: Database, now: list[datetime]) -> AccountService:
    return AccountService(
        accounts=store,
        invitations=InvitationStore(database),
        attempts=AttemptStore(database),
        passwords=Passwords(memory_kib=64, passes=1),
        clock=lambda: now[0],
    )


@pytest_asyncio.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_room(tmp_path) as room:
        store = AccountStore(room.database)
        now = [datetime.now(UTC)]
        accounts = _service(store, room.database, now)
        opened = NewSession(
            hash_token("token"), "a browser", "::1", now[0], now[0] + timedelta(days=1)
        )
        await store.add_session(room.ana, opened)
        record, key = await accounts.create_api_key(room.ana, "program")
        browser = await accounts.authenticate_session("token")
        program = await accounts.authenticate_key(key)
        assert program.api_key_id == record.id
        without_room = _service(FullDisk(room.database), room.database, now)
        yield Door(accounts, without_room, browser, program, key, now)


async def _endless(closed: asyncio.Event, every_seconds: float | None) -> AsyncIterator[str]:
    try:
        yield "first"
        while every_seconds is not None:
            await asyncio.sleep(every_seconds)
            yield "more"
        await asyncio.Event().wait()
    finally:
        closed.set()


async def _sign_out(door: Door) -> None:
    await door.accounts.sign_out_everywhere(door.browser.person.id)


async def _run_out(door: Door) -> None:
    door.turn(days=1)


async def _revoke(door: Door) -> None:
    assert door.program.api_key_id is not None
    await door.accounts.revoke_api_key(door.program.person.id, door.program.api_key_id)


@pytest.mark.parametrize("every_seconds", [None, 0.01, 0.39], ids=str)
@pytest.mark.parametrize("end", [_sign_out, _run_out, _revoke])
async def test_a_stream_ends_within_a_second_however_often_it_speaks(
    door: Door, end: Callable[[Door], Awaitable[None]], every_seconds: float | None
) -> None:
    principal = door.program if end is _revoke else door.browser
    closed = asyncio.Event()
    frames = door.accounts.while_signed_in(principal, _endless(closed, every_seconds))
    assert await anext(frames) == "first"
    await end(door)
    async with asyncio.timeout(1):
        assert {frame async for frame in frames} <= {"more"}
    assert closed.is_set()


async def test_a_stream_that_ends_by_itself_is_passed_on_whole(door: Door) -> None:
    async def three() -> AsyncIterator[str]:
        for word in ("one", "two", "three"):
            yield word

    frames = door.accounts.while_signed_in(door.browser, three())
    assert [frame async for frame in frames] == ["one", "two", "three"]


async def test_nobody_is_signed_out_because_the_disk_is_full(door: Door) -> None:
    door.turn(minutes=2)
    assert (await door.without_room.authenticate_session("token")).person.name == "ana"
    assert (await door.without_room.authenticate_key(door.key)).person.name == "ana"
