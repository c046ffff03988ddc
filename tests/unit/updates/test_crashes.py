"""The power may go between any two steps: what is found afterwards explains itself."""

import asyncio
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allerac.errors import AlleracError
from allerac.updates.states import RESTING
from allerac.updates.truth import holds

from .emulated_box import PowerCutError
from .household import Household, bring_to, offer_of, open_household

STEPS = 24


class Fuse:
    """Blows at the given counts of points; each run counts anew."""

    def __init__(self, *blows: int) -> None:
        self._blows = list(blows)
        self._passed = 0

    def __call__(self, point: str) -> None:
        """Pass, or let the power go."""
        self._passed += 1
        if self._blows and self._passed >= self._blows[0]:
            self._blows.pop(0)
            self._passed = 0
            raise PowerCutError(point)


async def _next_step(home: Household) -> None:
    """Do what service, owner and gate would do next."""
    await home.acts.reconcile()
    match await home.state():
        case "idle":
            await home.acts.check(by_owner=True)
        case "available":
            await home.acts.install()
        case "downloading":
            await home.acts.follow()
        case "installed":
            await home.acts.switch.forward()
            home.machine.boot()
        case "proving":
            home.machine.prove()
        case _:
            pass


async def _require_explained(home: Household) -> None:
    """The record says what the machine is, after it was compared."""
    await home.acts.reconcile()
    record, slots = await home.store.load(), await home.machine.slots()
    switched = slots.booted.name != record.from_slot
    match record.state:
        case "installed":
            assert holds(slots.other, record.offer)
            assert not switched
        case "proving":
            assert switched
            assert not slots.booted.bootable
        case "good":
            assert slots.booted.version == "1.1.0"
        case state:
            assert state in {"idle", "available", "rolled_back"}
    rows = await home.store.history(100)
    under_way = [row for row in rows if row.result is None]
    assert len(under_way) == (record.history_id is not None)
    assert len(rows) <= 1


async def _live_through(folder: Path, blows: list[tuple[int, bool]], *, broken: bool) -> str:
    async with open_household(folder, offer_of("1.1.0")) as home:
        home.machine.cut = Fuse(*(after for after, _ in blows))
        if broken:
            home.machine.broken = {"1.1.0"}
        cuts = iter(blows)
        for _ in range(STEPS):
            try:
                await _next_step(home)
            except PowerCutError:
                whole_machine = next(cuts)[1]
                if whole_machine:
                    home.machine.boot()
                home.machine.installing = False  # the installer has finished or died
            except AlleracError:
                home.clock.now = home.clock.now.replace(year=home.clock.now.year + 1)
            fuse, home.machine.cut = home.machine.cut, lambda _: None
            home = home.again()
            await _require_explained(home)
            home.machine.cut = fuse
            if await home.state() in {"good", "rolled_back"}:
                break
        assert await home.database.check_integrity() == []
        [row] = await home.store.history(10)
        assert row.result == await home.state()
        sys.stdout.write(f"cut after the steps {[after for after, _ in blows]}: {row.result}\n")
        return await home.state()


BLOWS = st.lists(st.tuples(st.integers(1, 16), st.booleans()), max_size=4)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(blows=BLOWS)
def test_after_any_cuts_the_record_explains_the_machine_and_the_update_succeeds(
    blows: list[tuple[int, bool]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert asyncio.run(_live_through(Path(folder), blows, broken=False)) == "good"


@settings(max_examples=15, deadline=None)
@given(blows=BLOWS)
def test_after_any_cuts_a_version_that_does_not_start_is_taken_back(
    blows: list[tuple[int, bool]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert asyncio.run(_live_through(Path(folder), blows, broken=True)) == "rolled_back"


async def _go_back_through(folder: Path, blows: list[tuple[int, bool]]) -> None:
    async with open_household(folder, offer_of("1.1.0")) as home:
        await bring_to(home, "rebooting")
        home.machine.boot()
        home.machine.prove()
        home = home.again()
        await home.acts.reconcile()
        fuse = Fuse(*(after for after, _ in blows))
        cuts = iter(blows)
        for _ in range(STEPS):
            home.machine.cut = fuse
            try:
                await home.acts.reconcile()
                if await home.state() == "proving":
                    home.machine.prove()
                elif home.machine.booted == "rootfs.1":
                    await home.acts.switch.back()
                    home.machine.boot()
            except PowerCutError:
                if next(cuts)[1]:
                    home.machine.boot()
            home.machine.cut = lambda _: None
            home = home.again()
            await home.acts.reconcile()
            if await home.state() in RESTING:
                assert home.machine.order[0] == home.machine.booted, "a boot would come by surprise"
        assert (home.machine.booted, await home.state()) == ("rootfs.0", "good")
        newest, *earlier = await home.store.history(100)
        assert (newest.version, newest.result) == ("1.0.0", "good")
        assert all(row.result is not None for row in earlier)
        sys.stdout.write(f"cut after the steps {[after for after, _ in blows]}: back\n")


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(blows=BLOWS)
def test_after_any_cuts_a_box_that_is_asked_to_goes_back(blows: list[tuple[int, bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_go_back_through(Path(folder), blows))
