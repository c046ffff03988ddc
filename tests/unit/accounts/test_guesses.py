"""Guesses are counted before they are judged, and the wait that is told is the wait there is."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from allerac.accounts.guesses import (
    GUESS_WINDOW_SECONDS,
    GUESSES_PER_ACCOUNT,
    GUESSES_PER_SOURCE,
    Guesses,
)
from allerac.errors import TooManyAttempts
from allerac.storage import Database
from allerac.storage.attempts import AttemptStore


class Room:
    """Guesses over a real database, with a clock to set."""

    def __init__(self, database: Database) -> None:
        self.now = datetime.now(UTC)
        self.guesses = Guesses(AttemptStore(database), lambda: self.now)

    async def wait(self, key: str, address: str = "") -> int:
        """Guess; return the seconds to wait, 0 when the guess was let through."""
        try:
            await self.guesses.take(key, address=address)
        except TooManyAttempts as error:
            return error.retry_after_seconds
        return 0

    def turn(self, seconds: float) -> None:
        """Move the clock."""
        self.now += timedelta(seconds=seconds)


@pytest_asyncio.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    database = Database(tmp_path / "allerac.sqlite")
    await database.open()
    yield Room(database)
    await database.close()


async def test_of_many_guesses_at_once_only_as_many_as_allowed_are_judged(room: Room) -> None:
    waits = await asyncio.gather(*(room.wait("ana", f"host {place}") for place in range(40)))
    assert sum(wait == 0 for wait in waits) == GUESSES_PER_ACCOUNT


@pytest.mark.parametrize("elapsed", [0, 0.4, 1, 7.5, 250, 299, 299.999])
async def test_the_wait_that_is_told_is_exactly_long_enough(room: Room, elapsed: float) -> None:
    for _ in range(GUESSES_PER_ACCOUNT):
        assert await room.wait("ana") == 0
    room.turn(elapsed)
    wait = await room.wait("ana")
    assert 0 < wait <= GUESS_WINDOW_SECONDS
    room.turn(wait - 1)
    assert await room.wait("ana") > 0
    room.turn(1)
    assert await room.wait("ana") == 0


async def test_accounts_and_addresses_are_counted_apart(room: Room) -> None:
    for _ in range(GUESSES_PER_ACCOUNT):
        await room.wait("ana", "here")
    assert await room.wait("ana", "there") > 0
    assert await room.wait("ben", "here") == 0
    for place in range(GUESSES_PER_SOURCE):
        await room.wait(f"name {place}", "here")
    assert await room.wait("ben", "here") > 0
    assert await room.wait("ben", "there") == 0


async def test_forgiving_an_account_does_not_forgive_the_address(room: Room) -> None:
    for _ in range(GUESSES_PER_SOURCE):
        await room.guesses.forgive("ana")
        assert await room.wait("ana", "here") == 0
    await room.guesses.forgive("ana")
    assert await room.wait("ana", "here") > 0


async def test_a_clock_that_is_set_back_locks_nobody_out_for_years(room: Room) -> None:
    for _ in range(GUESSES_PER_ACCOUNT):
        await room.wait("ana")
    room.turn(-365 * 86400)
    assert await room.wait("ana") == 0


@pytest.mark.parametrize(("elapsed", "words"), [(0, "5 min"), (195, "2 min"), (201, "99 s")])
async def test_the_wait_is_told_in_words(room: Room, elapsed: float, words: str) -> None:
    for _ in range(GUESSES_PER_ACCOUNT):
        await room.wait("ana")
    room.turn(elapsed)
    with pytest.raises(TooManyAttempts) as told:
        await room.guesses.take("ana")
    assert told.value.hint == f"Wait {words}, then try again."
