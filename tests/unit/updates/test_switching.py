"""The switch to another version and back: when it comes, and what keeps it from coming."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from allerac.storage import Database
from allerac.updates.offer import Offer
from allerac.updates.reasons import failed

from .emulated_box import PowerCutError
from .household import (
    NIGHT,
    Household,
    bring_to,
    offer_of,
    open_household,
    until,
)


async def _in_the_new_version(home: Household) -> Household:
    await bring_to(home, "rebooting")
    home.machine.boot()
    home.machine.prove()
    new = home.again()
    await new.acts.reconcile()
    assert await new.state() == "good"
    return new


def _break_at(home: Household, where: str, error: BaseException) -> None:
    """Let something happen at a point, once."""

    def cut(point: str) -> None:
        if point == where:
            home.machine.cut = lambda _: None
            raise error

    home.machine.cut = cut


async def test_the_database_is_copied_before_the_switch(home: Household) -> None:
    await bring_to(home, "rebooting")
    copy = Database(home.folder / "snapshots" / "1.0.0.sqlite")
    await copy.open()
    assert await copy.check_integrity() == []
    await copy.close()


async def test_without_room_for_the_copy_nothing_is_switched(home: Household) -> None:
    await bring_to(home, "installed")
    (home.folder / "snapshots").write_text("in the way")
    service = home.service()
    with pytest.raises(Exception, match="could not be copied"):
        await service.restart()
    assert (await service.status()).state == "installed"
    assert (await service.status()).reason == "disk_full"
    assert home.machine.restarts == 0
    assert home.machine.order[0] == "rootfs.0"


async def test_a_switch_for_which_there_was_no_room_is_not_tried_again_at_once(
    home: Household,
) -> None:
    await bring_to(home, "installed")
    (home.folder / "snapshots").write_text("in the way")
    home.clock.now = NIGHT
    service = home.service()
    await service._tend_once()
    first = service._act
    assert first is not None
    await asyncio.wait({first})
    assert (await service.status()).reason == "disk_full"
    await service._tend_once()
    assert service._act is first
    (home.folder / "snapshots").unlink()
    home.clock.now += timedelta(minutes=5)
    await service._tend_once()
    async with asyncio.timeout(20):
        await home.machine.asked_to_restart.wait()
    await service.stop()


async def test_going_back_ends_in_the_old_version_and_stays_there(home: Household) -> None:
    new = await _in_the_new_version(home)
    status = await new.service().go_back()
    assert status.state == "rebooting"
    home.machine.boot()
    assert home.machine.booted == "rootfs.0"
    home.machine.prove()
    old = home.again()
    await old.acts.reconcile()
    assert await old.state() == "good"
    newest = (await old.service().history())[0]
    assert (newest.version, newest.from_version, newest.result) == ("1.0.0", "1.1.0", "good")
    await old.acts.check(by_owner=False)
    assert await old.state() == "idle"
    await old.acts.check(by_owner=True)
    assert await old.state() == "available"


async def test_a_restart_that_nobody_carries_out_does_not_come_by_surprise(home: Household) -> None:
    await bring_to(home, "installed")
    _break_at(home, "restart", failed("restart_failed"))
    assert await home.reason_of(home.service().restart()) == "restart_failed"
    assert await home.state() == "installed"
    assert await home.acts.switch.other_version() is None
    home.machine.boot()
    assert home.machine.booted == "rootfs.0"
    await home.acts.switch.forward()
    home.machine.boot()
    assert home.machine.booted == "rootfs.1"


async def test_a_way_back_that_ended_half_way_does_not_come_by_surprise(home: Household) -> None:
    new = await _in_the_new_version(home)
    _break_at(home, "marked active", PowerCutError("the runtime alone"))
    with pytest.raises(PowerCutError):
        await new.acts.switch.back()
    assert home.machine.order[0] == "rootfs.0"
    again = home.again()
    await again.acts.reconcile()
    record = await again.store.load()
    assert (record.state, record.history_id) == ("idle", None)
    home.machine.boot()
    assert home.machine.booted == "rootfs.1"


async def test_there_is_nothing_to_go_back_to_on_a_new_box(home: Household) -> None:
    assert await home.reason_of(home.service().go_back()) == "no_other_version"
    assert await home.state() == "idle"


async def test_a_version_that_is_withdrawn_before_the_night_is_not_started(home: Household) -> None:
    await bring_to(home, "installed")
    home.wares.offers = [offer_of("1.1.0", halted=True)]
    home.clock.now = NIGHT
    service = home.service()
    await service._tend_once()
    assert (await until(service, "idle")).reason == "halted"
    assert home.machine.restarts == 0
    [row] = await home.store.history(1)
    sys.stdout.write(f"{row.result}: {row.reason}\n")
    assert (row.result, row.reason) == ("failed", "halted")


async def test_a_server_that_cannot_be_asked_does_not_stop_the_restart(home: Household) -> None:
    await bring_to(home, "installed")
    home.wares.problem = "server_unreachable"
    await home.acts.switch.forward()
    assert home.machine.restarts == 1


NOT_FOR_THIS_BOX: list[tuple[list[Offer], str]] = [
    ([offer_of("1.1.0", halted=True)], "halted"),
    ([], "halted"),
    ([offer_of("1.1.0", minimum_version="1.0.5")], "below_minimum"),
]


@pytest.mark.parametrize(("offers", "reason"), NOT_FOR_THIS_BOX)
async def test_a_click_fetches_nothing_that_was_withdrawn_since_it_was_found(
    home: Household, offers: list[Offer], reason: str
) -> None:
    await bring_to(home, "available")
    home.wares.offers = offers
    service = home.service()
    await service.install()
    assert (await until(service, "idle")).reason == reason
    assert home.machine.root("other").version is None
    [row] = await service.history()
    sys.stdout.write(f"{row.result}: {row.reason}\n")
    assert (row.result, row.reason) == ("failed", reason)


@pytest.mark.parametrize(("offers", "reason"), NOT_FOR_THIS_BOX)
async def test_a_click_starts_nothing_that_was_withdrawn_since_it_was_installed(
    home: Household, offers: list[Offer], reason: str
) -> None:
    await bring_to(home, "installed")
    home.wares.offers = offers
    assert await home.reason_of(home.service().restart()) == reason
    assert await home.state() == "idle"
    assert home.machine.restarts == 0


async def test_whoever_stays_with_a_version_is_not_moved_on_by_what_is_installed_already(
    home: Household,
) -> None:
    await bring_to(home, "installed")
    home.clock.now = NIGHT
    service = home.service()
    assert (await service.status()).restarts_at == NIGHT
    assert (await service.pin("1.0.0")).restarts_at is None
    await service._tend_once()
    assert service._act is None
    await service.pin(None)
    await service._tend_once()
    async with asyncio.timeout(20):
        await home.machine.asked_to_restart.wait()
    await service.stop()


async def test_a_box_that_takes_tested_ones_alone_does_not_go_on_with_another(
    tmp_path: Path,
) -> None:
    async with open_household(tmp_path, offer_of("1.1.0", channel="beta")) as home:
        home.machine.problems = ["transfer_cut"]
        service = home.service()
        await service.choose_channel("beta")
        await bring_to(home, "installed")
        assert await home.state() == "available"
        home.clock.now += timedelta(hours=1)
        await service.choose_channel("stable")
        await service._tend_once()
        assert (await until(service, "idle")).available is None
        assert home.machine.root("other").version is None


async def test_a_machine_that_shuts_down_slowly_is_waited_for(home: Household) -> None:
    await bring_to(home, "rebooting")
    await home.acts.reconcile()
    assert await home.state() == "rebooting"
    home.acts.switch._restarts_until = 0.0
    await home.acts.reconcile()
    record = await home.store.load()
    assert (record.state, record.reason) == ("installed", "interrupted")
