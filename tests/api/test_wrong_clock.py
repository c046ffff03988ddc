"""A box that learns the year while it runs keeps its people, invitations and order."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from allerac.storage import Database
from allerac.storage.clock import move_expiry

from .conftest import claim
from .fresh_box import Clock, fresh_box, invite, is_signed_in, join

LONG_AGO = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)


def turned(clock: Clock, to: datetime) -> tuple[datetime, timedelta]:
    """Set the clock; return what the watch would tell."""
    before, clock.now = clock.now, to
    return before, to - before


async def test_people_and_invitations_of_1970_are_good_today(tmp_path: Path) -> None:
    clock = Clock()
    today, clock.now = clock.now, LONG_AGO
    async with fresh_box(tmp_path, clock=clock) as box:
        owner = box.browser()
        await claim(owner, box.claim_code)
        path = await invite(owner)
        database: Database = box.app.state.runtime.database
        moved = await move_expiry(database, *turned(clock, today))
        assert moved == 2
        assert await is_signed_in(owner)
        assert (await join(box.browser(), path, "Ben")).status_code == 201
        clock.now += timedelta(days=29)
        assert await is_signed_in(owner)
        clock.now += timedelta(days=62)
        assert not await is_signed_in(owner)


async def test_session_that_had_ended_stays_ended(tmp_path: Path) -> None:
    clock = Clock()
    async with fresh_box(tmp_path, clock=clock) as box:
        owner = box.browser()
        await claim(owner, box.claim_code)
        clock.now += timedelta(days=31)
        database: Database = box.app.state.runtime.database
        moved = await move_expiry(database, *turned(clock, clock.now + timedelta(days=900)))
        assert moved == 0
        assert not await is_signed_in(owner)


async def test_invitation_of_a_wrong_future_does_not_stay_open_for_years(tmp_path: Path) -> None:
    clock = Clock()
    today = clock.now
    clock.now = today + timedelta(days=4000)
    async with fresh_box(tmp_path, clock=clock) as box:
        owner = box.browser()
        await claim(owner, box.claim_code)
        path = await invite(owner)
        await move_expiry(box.app.state.runtime.database, *turned(clock, today))
        assert await is_signed_in(owner)
        clock.now += timedelta(days=30)
        assert (await join(box.browser(), path, "Ben")).status_code in {404, 410}


@pytest.mark.parametrize("days", [20_000, -20_000])
async def test_step_is_undone_by_its_opposite(tmp_path: Path, days: int) -> None:
    async with fresh_box(tmp_path) as box:
        owner = box.browser()
        await claim(owner, box.claim_code)
        database: Database = box.app.state.runtime.database
        there = turned(box.clock, box.clock.now + timedelta(days=days))
        await move_expiry(database, *there)
        await move_expiry(database, *turned(box.clock, there[0]))
        assert await is_signed_in(owner)
