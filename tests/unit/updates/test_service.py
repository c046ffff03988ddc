"""The service as people and time use it."""

import asyncio
import sys
from contextlib import suppress
from datetime import timedelta

import pytest

from allerac.errors import Conflict, InvalidInput, NotFound, UpdateFailed
from allerac.updates.service import UpdateService
from allerac.updates.verdict import Verdict

from .emulated_box import bundle_of
from .household import (
    DAY,
    NIGHT,
    NOON,
    Household,
    bring_to,
    offer_of,
    running,
    until,
)
from .publisher import hash_of


async def test_an_update_comes_by_itself_and_restarts_in_the_quiet_hour(home: Household) -> None:
    async with running(home) as service:
        status = await until(service, "installed")
        assert home.machine.restarts == 0
        assert status.restarts_at == NIGHT.replace(minute=0)
        home.clock.now = NIGHT
        service.look()
        async with asyncio.timeout(20):
            await home.machine.asked_to_restart.wait()
    assert home.machine.restarts == 1
    home.machine.boot()
    async with running(home.again()) as service:
        assert (await until(service, "proving")).installed == "1.1.0"
        home.machine.prove()
        service.look()
        await until(service, "good")
        [row] = await service.history()
        assert (row.version, row.from_version, row.result) == ("1.1.0", "1.0.0", "good")
        assert row.notes == {"en": "Better."}
    service = home.again().service()
    await service._tend_once()
    assert (await service.status()).other_version == "1.0.0"


async def test_a_chat_is_not_cut_off_by_a_restart_that_nobody_asked_for(home: Household) -> None:
    await bring_to(home, "installed")
    home.busy, home.clock.now = True, NIGHT
    service = home.service()
    await service._tend_once()
    assert home.machine.restarts == 0
    home.busy = False
    await service._tend_once()
    async with asyncio.timeout(20):
        await home.machine.asked_to_restart.wait()
    await service.stop()


async def test_progress_tells_percent_bytes_and_that_it_is_not_a_guess(home: Household) -> None:
    await bring_to(home, "available")
    home.machine.may_finish.clear()
    service = home.service()
    await service.install()
    async with asyncio.timeout(20):
        async for status in service.changes():
            progress = status.progress
            if progress is not None and progress.percent == 75:
                assert (progress.done_bytes, progress.total_bytes) == (750_000, 1_000_000)
                break
    with pytest.raises(Conflict):
        await service.install()
    with pytest.raises(Conflict):
        await service.check()
    home.machine.may_finish.set()
    assert (await until(service, "installed")).progress is None


async def test_cuts_are_tried_again_later_and_end_well(home: Household) -> None:
    home.machine.problems = ["transfer_cut", "transfer_cut"]
    await bring_to(home, "installed")
    assert await home.state() == "available"
    service = home.service()
    status = await service.status()
    assert status.reason == "transfer_cut"
    for minutes in (1, 5, 15):
        home.clock.now += timedelta(minutes=minutes)
        await service._tend_once()
        await asyncio.gather(*([service._act] if service._act else []))
    assert await home.state() == "installed"
    assert len(await service.history()) == 1


async def test_a_device_that_is_not_ready_yet_is_asked_once_more_at_once(home: Household) -> None:
    home.machine.problems = ["device_not_ready"]
    await bring_to(home, "installed")
    assert await home.state() == "installed"


async def test_a_system_that_has_not_proven_itself_is_not_left_for_another(home: Household) -> None:
    await home.acts.check(by_owner=True)
    home.machine.root("booted").tries = 1
    await home.acts.install()
    record = await home.store.load()
    assert (record.state, record.reason) == ("available", "device_not_ready")
    home.machine.prove()
    await home.acts.install()
    assert (await home.store.load()).state == "installed"


async def test_a_bundle_that_is_not_the_one_of_the_list_is_never_started(home: Household) -> None:
    [source] = home.machine.bundles
    home.machine.bundles[source] = bundle_of("1.0.5")
    await bring_to(home, "installed")
    record = await home.store.load()
    sys.stdout.write(f"{record.state}: {record.reason}\n")
    assert (record.state, record.reason) == ("idle", "bundle_differs")
    assert not home.machine.root("other").ok


async def test_a_bundle_that_is_exchanged_after_it_was_compared_is_never_started(
    home: Household,
) -> None:
    [source] = home.machine.bundles
    home.machine.swapped[source] = bundle_of("0.5.0")
    await bring_to(home, "installed")
    record = await home.store.load()
    sys.stdout.write(f"{record.state}: {record.reason}\n")
    assert (record.state, record.reason) == ("idle", "bundle_differs")
    home.machine.boot()
    assert home.machine.booted == "rootfs.0"


async def test_a_version_that_the_gate_refuses_is_gone_with_its_reason_and_not_taken_again(
    home: Household,
) -> None:
    await bring_to(home, "rebooting")
    home.machine.boot()
    again = home.again()
    await again.acts.reconcile()
    assert await again.state() == "proving"
    home.gate.verdict = Verdict("1.1.0", False, "too_slow", "3.1 of 9.0 tokens a second")
    home.machine.root("booted").ok = False
    home.machine.boot()
    back = home.again()
    async with running(back) as service:
        status = await until(service, "rolled_back")
        assert status.reason == "too_slow"
        [row] = await service.history()
        assert (row.result, row.reason) == ("rolled_back", "too_slow")
        assert row.detail == "3.1 of 9.0 tokens a second"
        home.clock.now += 2 * DAY
        service.look()
        await until(service, "idle")
        assert (await service.check()).available == offer_of("1.1.0")


async def test_a_failed_check_is_told_to_who_asked_and_keeps_what_was_found(
    home: Household,
) -> None:
    service = home.service()
    home.wares.problem = "server_slow"
    assert await home.reason_of(service.check()) == "server_slow"
    assert (await service.status()).state == "idle"
    home.wares.problem = None
    await service.check()
    home.wares.problem = "catalogue_replayed"
    assert await home.reason_of(service.check()) == "catalogue_replayed"
    status = await service.status()
    assert (status.state, status.reason) == ("available", "catalogue_replayed")
    assert status.available == offer_of("1.1.0")


async def test_an_installer_that_does_not_answer_is_asked_again_after_a_while(
    home: Household,
) -> None:
    await bring_to(home, "available")
    home.machine.installing = True
    await home.acts.install()
    record = await home.store.load()
    assert (record.state, record.reason) == ("available", "installer_busy")
    assert record.not_before is not None
    assert record.not_before > NOON


async def test_an_offer_that_another_version_kept_otherwise_is_looked_up_anew(
    home: Household,
) -> None:
    await bring_to(home, "available")
    await home.acts.journal.note(offer={"version": "1.1.0"})
    assert (await home.service().status()).available is None
    await home.acts.install()
    record = await home.store.load()
    assert (record.offer, record.checked_at) == (None, None)


async def test_an_installation_outlives_the_runtime(home: Household) -> None:
    await bring_to(home, "available")
    home.machine.may_finish.clear()
    writing = asyncio.create_task(home.machine.install("http://updates/1.1.0", lambda *_: None))
    await home.acts.journal.move("install", from_slot="rootfs.0", boot_id="boot-1")
    async with running(home.again()) as after:
        await until(after, "downloading")
        home.machine.may_finish.set()
        await writing
        await until(after, "installed")


async def test_wishes_are_kept_and_checked(home: Household) -> None:
    service = home.service()
    assert (await service.choose_channel("beta")).channel == "beta"
    with pytest.raises(InvalidInput):
        await service.choose_channel("nightly")
    assert (await service.pin("1.0.5")).pinned_version == "1.0.5"
    assert (await service.check()).available is None
    assert (await service.pin(None)).pinned_version is None
    assert (await service.check()).available == offer_of("1.1.0")
    with pytest.raises(InvalidInput):
        await service.pin("latest")
    assert (await service.postpone(NOON + DAY)).postponed_until == NOON + DAY
    with pytest.raises(InvalidInput):
        await service.postpone(NOON + 31 * DAY)
    assert (await service.postpone(None)).postponed_until is None


async def test_acts_that_do_not_fit_the_state_are_refused(home: Household) -> None:
    service = home.service()
    for act in (service.install, service.restart):
        with pytest.raises(Conflict):
            await act()
    await bring_to(home, "installed")
    for act in (service.check, service.install, service.go_back):
        with pytest.raises(Conflict):
            await act()


def put_on_drive(home: Household, version: str, *, tier: str = "vm") -> str:
    """Put a bundle on a drive that is plugged in."""
    name = f"stick/allerac-{version}.raucb"
    path = home.folder / "media" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"bundle")
    home.machine.bundles[str(path)] = bundle_of(version, tier=tier)
    return name


async def test_a_bundle_on_a_drive_is_found_and_installed(home: Household) -> None:
    name = put_on_drive(home, "1.2.0")
    (home.folder / "media" / "stick" / "evil.raucb").symlink_to("/etc/passwd")
    service = home.service()
    assert [file.name for file in await service.drive_bundles()] == [name]
    await service.install_from_drive(name)
    status = await until(service, "installed")
    assert status.origin == "drive"
    assert home.machine.root("other").manifest_hash == hash_of("1.2.0")


@pytest.mark.parametrize(
    ("version", "tier", "reason"),
    [
        ("1.0.0", "vm", "not_newer"),
        ("0.9.0", "vm", "not_newer"),
        ("1.2.0", "n100", "other_tier"),
        ("3.1.0", "vm", "below_minimum"),
        ("1.1.5", "vm", "halted"),
        ("newest", "vm", "bundle_unreadable"),
    ],
)
async def test_a_drive_brings_nothing_that_the_server_would_not(
    home: Household, version: str, tier: str, reason: str
) -> None:
    home.wares.offers += [
        offer_of("1.1.5", halted=True),
        offer_of("3.0.0", minimum_version="2.0.0"),
    ]
    name = put_on_drive(home, version, tier=tier)
    assert await home.reason_of(home.service().install_from_drive(name)) == reason
    assert await home.state() == "idle"


@pytest.mark.parametrize("name", ["../../etc/passwd", "stick/none.raucb", "/etc/passwd", ""])
async def test_only_files_on_drives_are_installed(home: Household, name: str) -> None:
    with pytest.raises(NotFound):
        await home.service().install_from_drive(name)


async def test_a_machine_without_slots_says_that_it_is_none(home: Household) -> None:
    service = UpdateService(
        acts=home.acts, household=home.boxes, is_busy=lambda: False, supported=False
    )
    await service.start()
    assert (await service.status()).supported is False
    with suppress(UpdateFailed):
        await service.check()
    assert home.wares.asked == 0
    await service.stop()
