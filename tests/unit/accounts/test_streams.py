"""A stream lasts as long as the session behind it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from allerac.accounts import AccountService, Passwords
from allerac.accounts.codes import hash_token
from allerac.storage.accounts import AccountStore, NewSession
from allerac.storage.attempts import AttemptStore
from allerac.storage.invitations import InvitationStore
from tests.chat_room import open_room


async def _endless(closed: asyncio.Event) -> AsyncIterator[str]:
    try:
        yield "first"
        await asyncio.Event().wait()
    finally:
        closed.set()


async def test_a_stream_that_waits_ends_within_a_second_of_signing_out(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        store = AccountStore(room.database)
        accounts = AccountService(
            accounts=store,
            invitations=InvitationStore(room.database),
            attempts=AttemptStore(room.database),
            passwords=Passwords(memory_kib=64, passes=1),
        )
        now = datetime.now(UTC)
        opened = NewSession(hash_token("token"), "a browser", "::1", now, now + timedelta(days=1))
        await store.add_session(room.ana, opened)
        principal = await accounts.authenticate_session("token")
        closed = asyncio.Event()
        frames = accounts.while_signed_in(principal, _endless(closed))
        assert await anext(frames) == "first"
        await accounts.sign_out_everywhere(room.ana)
        async with asyncio.timeout(1):
            assert [frame async for frame in frames] == []
        assert closed.is_set()
