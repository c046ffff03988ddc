"""RAUC as it speaks on a bus: what it says is understood, its silence too."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from dbus_fast import Variant

from allerac.errors import UpdateFailed
from allerac.updates.bus import SystemBus
from allerac.updates.rauc import INSTALLER, Bundle, Rauc

from .emulated_box import EmulatedBox, bundle_of
from .fake_rauc import FakeRauc, ends_at, fake_rauc, private_bus
from .publisher import hash_of

URL = "http://127.0.0.1:1/targets/vm/1.1.0/x.raucb"


@dataclass(slots=True)
class Bench:
    """The door and what is behind it."""

    box: EmulatedBox
    rauc: Rauc
    service: FakeRauc
    bus: SystemBus


@asynccontextmanager
async def open_bench(folder: Path) -> AsyncIterator[Bench]:
    """Start a bus with RAUC on it."""
    box = EmulatedBox(bundles={URL: bundle_of("1.1.0")})
    with private_bus(folder) as address:
        bus = SystemBus(address)
        async with fake_rauc(address, box) as service:
            wish = folder / "end"
            rauc = Rauc(bus, wish=wish, look_seconds=0.1, inspect_seconds=0.5, end_seconds=0.5)
            yield Bench(box, rauc, service, bus)
        await bus.close()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A bus with RAUC."""
    async with open_bench(tmp_path) as bench:
        yield bench


async def test_an_installer_that_waits_for_a_silent_server_is_ended(
    bench: Bench, tmp_path: Path
) -> None:
    bench.service.waits_for_server = True
    with pytest.raises(UpdateFailed) as caught:
        await bench.rauc.inspect(URL)
    assert (caught.value.reason, (tmp_path / "end").exists()) == ("server_slow", True)


async def test_whoever_tries_again_meets_the_next_installer(bench: Bench, tmp_path: Path) -> None:
    bench.service.waits_for_server = True
    patient = Rauc(bench.bus, wish=tmp_path / "end", inspect_seconds=0.1, end_seconds=60)
    ended = asyncio.create_task(ends_at(tmp_path / "end", bench.service, 0.5))
    with pytest.raises(UpdateFailed) as caught:
        await patient.inspect(URL)
    assert caught.value.reason == "server_slow"
    assert ended.done()
    assert await bench.bus.owner(INSTALLER.service) is None


async def test_an_installer_that_refuses_is_left_alone(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(UpdateFailed):
        await bench.rauc.inspect("http://127.0.0.1:1/missing.raucb")
    assert not (tmp_path / "end").exists()


async def reason_of_installing(bench: Bench) -> tuple[str, str]:
    with pytest.raises(UpdateFailed) as caught:
        await bench.rauc.install(URL, lambda *_: None)
    sys.stdout.write(f"{caught.value.reason}: {caught.value.message} ({caught.value.detail})\n")
    return caught.value.reason, caught.value.detail


async def test_a_bundle_is_inspected_and_installed_with_progress(bench: Bench) -> None:
    said: list[int] = []
    assert await bench.rauc.compatible() == "allerac-vm"
    assert await bench.rauc.inspect(URL) == Bundle("allerac-vm", "1.1.0", hash_of("1.1.0"))
    await bench.rauc.install(URL, lambda percent, _: said.append(percent))
    assert said == sorted(said)
    assert said[-1] == 100
    slots = await bench.rauc.slots()
    assert (slots.other.version, slots.other.manifest_hash) == ("1.1.0", hash_of("1.1.0"))
    assert slots.other.complete
    assert not slots.other.bootable
    assert slots.primary == slots.booted.name == "rootfs.0"
    assert slots.booted.version is None


async def test_a_slot_is_made_the_next_one_and_marked_good(bench: Bench) -> None:
    await bench.rauc.install(URL, lambda *_: None)
    await bench.rauc.mark("active", "other")
    slots = await bench.rauc.slots()
    assert slots.primary == "rootfs.1"
    assert slots.other.activations == 1
    bench.box.boot()
    assert not (await bench.rauc.slots()).booted.bootable
    await bench.rauc.mark("good", "booted")
    assert (await bench.rauc.slots()).booted.bootable


async def test_two_installations_at_once_are_refused(bench: Bench) -> None:
    bench.box.may_finish.clear()
    began = asyncio.Event()
    first = asyncio.create_task(bench.rauc.install(URL, lambda *_: began.set()))
    await began.wait()
    assert await bench.rauc.is_installing()
    assert (await reason_of_installing(bench))[0] == "installer_busy"
    with pytest.raises(UpdateFailed):
        await bench.rauc.slots()
    bench.box.may_finish.set()
    await first
    assert not await bench.rauc.is_installing()


@pytest.mark.parametrize(
    "reason",
    [
        "device_not_ready",
        "transfer_cut",
        "bundle_untrusted",
        "bundle_unreadable",
        "slot_write_failed",
        "other_tier",
    ],
)
async def test_what_rauc_complains_of_is_understood(bench: Bench, reason: str) -> None:
    bench.box.problems = [reason]
    understood, detail = await reason_of_installing(bench)
    assert understood == reason
    assert detail == bench.service.last_error


async def test_what_nobody_has_heard_before_is_kept_in_its_words(bench: Bench) -> None:
    bench.box.problems = ["interrupted"]
    bench.service.last_error = ""
    assert await reason_of_installing(bench) == ("install_failed", "interrupted")


@pytest.mark.parametrize(
    "kernel",
    [
        {"bundle.hash": Variant("s", hash_of("1.0.0"))},
        {"status": Variant("s", "pending")},
    ],
    ids=["of another bundle", "half written"],
)
async def test_a_slot_is_not_whole_before_its_kernel_is(
    bench: Bench, kernel: dict[str, Variant]
) -> None:
    await bench.rauc.install(URL, lambda *_: None)
    other = (await bench.rauc.slots()).other
    assert other.complete
    bench.service.kernels[other.name] = kernel
    assert not (await bench.rauc.slots()).other.complete


async def test_an_installation_whose_end_nobody_tells_is_noticed(bench: Bench) -> None:
    bench.service.keeps_silent = True
    assert (await reason_of_installing(bench))[0] == "interrupted"
    assert (await bench.rauc.slots()).other.complete


async def test_an_installation_of_an_earlier_run_is_followed_to_its_end(bench: Bench) -> None:
    bench.box.may_finish.clear()
    began, said = asyncio.Event(), asyncio.Event()
    first = asyncio.create_task(bench.rauc.install(URL, lambda *_: began.set()))
    await began.wait()
    follower = asyncio.create_task(bench.rauc.follow(lambda *_: said.set()))
    await said.wait()
    bench.box.may_finish.set()
    await follower
    await first


async def test_an_installation_that_comes_on_no_more_is_given_up_and_its_installer_ended(
    bench: Bench, tmp_path: Path
) -> None:
    bench.box.may_finish.clear()
    wish = tmp_path / "give-up"
    impatient = Rauc(bench.bus, wish=wish, look_seconds=0.02, still_seconds=0.2, end_seconds=0.1)
    for waiting in (impatient.install(URL, lambda *_: None), impatient.follow(lambda *_: None)):
        with pytest.raises(UpdateFailed) as caught:
            await waiting
        sys.stdout.write(f"{caught.value.reason}: {caught.value.detail}\n")
        assert (caught.value.reason, wish.exists()) == ("transfer_cut", True)
        wish.unlink()
    bench.box.may_finish.set()


async def test_a_bus_that_goes_away_ends_nothing_for_ever(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.box.may_finish.clear()
        began = asyncio.Event()
        first = asyncio.create_task(bench.rauc.install(URL, lambda *_: began.set()))
        await began.wait()
    with pytest.raises(UpdateFailed) as caught:
        await first
    assert caught.value.reason == "installer_unavailable"
    with pytest.raises(UpdateFailed):
        await bench.rauc.slots()


async def test_without_rauc_the_reason_is_that_it_does_not_answer(tmp_path: Path) -> None:
    for address in (f"unix:path={tmp_path}/nothing", "nonsense"):
        with pytest.raises(UpdateFailed) as caught:
            await Rauc(SystemBus(address)).slots()
        assert caught.value.reason == "installer_unavailable"
