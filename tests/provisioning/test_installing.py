"""What the box's own RAUC writes, and when: full disks, wrong clocks, kills, two at once.

A kernel under test need not have dm-verity, so these bundles are of RAUC's plain format: what is
verified block by block is tried on the emulated box (tests/image). Each test prints its end.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from allerac.errors import UpdateFailed
from allerac.updates.rauc import INSTALLER, Rauc
from allerac.updates.reasons import REASONS
from tests.provisioning.box_rauc import (
    DAEMON,
    SLOT_BYTES,
    START_SECONDS,
    WISH,
    BoxRauc,
    Wishes,
    box_rauc,
    prepare,
)
from tests.provisioning.bundles import Workshop
from tests.unit.updates.full_disk import fill

PLAIN = Wishes(formats="plain")
SIZE = SLOT_BYTES - (1 << 20)
DISK_BYTES = 1 << 20
KIB = 1 << 10
TWENTY_YEARS = timedelta(days=20 * 365)
SIGNING_TIME = "use-bundle-signing-time=true"
CLOCK = Path(__file__).with_name("wrong_clock.c")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Keys are made once."""
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture(scope="module")
def first(workshop: Workshop) -> Path:
    """A version."""
    return workshop.bundle("first", workshop.good, bundle_format="plain", size=SIZE)


@pytest.fixture(scope="module")
def second(workshop: Workshop) -> Path:
    """The version after it."""
    return workshop.bundle(
        "second", workshop.good, version="1.2.0", bundle_format="plain", size=SIZE
    )


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a disk of a megabyte at `folder`; yield the file that fills it."""
    disk = ("-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs")
    subprocess.run(["/usr/bin/mount", *disk, folder], check=True, timeout=START_SECONDS)
    try:
        yield folder / "ballast"
    finally:
        subprocess.run(["/usr/bin/umount", "-l", folder], check=True, timeout=START_SECONDS)


async def _outcome(box: BoxRauc, case: str, bundle: Path) -> str:
    """Install; print and return the reason for which it was not."""
    try:
        async with asyncio.timeout(START_SECONDS):
            await box.rauc.install(str(bundle), lambda *_: None)
    except UpdateFailed as error:
        words = REASONS[error.reason].message
        sys.stdout.write(f"{case}: {error.reason}: {words} ({error.detail})\n")
        return error.reason
    sys.stdout.write(f"{case}: installed\n")
    return "installed"


async def _holds(box: BoxRauc, workshop: Workshop, bundle: Path) -> bool:
    """Tell whether the other slot is said to have a bundle whole; if so, it has."""
    slot = (await box.rauc.slots()).other
    versions = {"first": "1.1.0", "second": "1.2.0"}
    said = slot.complete and slot.version == versions[bundle.stem]
    if said:
        image = workshop.image_of(bundle)
        assert box.other.read_bytes()[: len(image)] == image
        kernel = workshop.kernel_of(bundle)
        assert box.other_kernel.read_bytes()[: len(kernel)] == kernel
    return said


async def test_a_bundle_is_written_whole_and_what_is_the_same_is_not_fetched_again(
    root: Path, tmp_path: Path, workshop: Workshop, first: Path, second: Path
) -> None:
    prepare(tmp_path)
    async with box_rauc(root, tmp_path, workshop.ours.file, PLAIN) as box:
        told = await box.rauc.inspect(str(first))
        assert (told.compatible, told.version) == ("allerac-vm", "1.1.0")
        assert await _outcome(box, "first", first) == "installed"
        assert await _holds(box, workshop, first)
        assert (await box.rauc.slots()).other.manifest_hash == told.manifest_hash
        [index] = (tmp_path / "data").glob("slot.rootfs.1/hash-*/block-hash-index")
        assert index.stat().st_size == SIZE // 4096 * 32
        assert await _outcome(box, "second", second) == "installed"
        assert await _holds(box, workshop, second)
        assert not any(box.running.read_bytes())


async def test_a_root_whose_kernel_was_not_written_is_not_taken_for_whole(
    root: Path, tmp_path: Path, workshop: Workshop, first: Path
) -> None:
    prepare(tmp_path)
    async with box_rauc(root, tmp_path, workshop.ours.file, PLAIN) as box:
        box.other_kernel.unlink()
        box.other_kernel.mkdir()
        assert await _outcome(box, "no place for the kernel", first) != "installed"
        image = workshop.image_of(first)
        assert box.other.read_bytes()[: len(image)] == image
        assert not await _holds(box, workshop, first)
        box.other_kernel.rmdir()
        box.other_kernel.touch()
        os.truncate(box.other_kernel, SLOT_BYTES)
        assert await _outcome(box, "with its place", first) == "installed"
        assert await _holds(box, workshop, first)


@pytest.mark.parametrize("free_kib", [0, 4, 8, 12, 16, 32, 64, 128])
async def test_a_full_disk_is_told_and_nothing_half_is_taken_for_whole(
    root: Path, tmp_path: Path, workshop: Workshop, first: Path, free_kib: int
) -> None:
    prepare(tmp_path)
    with small_disk(tmp_path / "data") as ballast:
        async with box_rauc(root, tmp_path, workshop.ours.file, PLAIN) as box:
            fill(ballast, free_kib * KIB)
            outcome = await _outcome(box, f"{free_kib} KiB free", first)
            assert outcome in {"installed", "disk_full"}
            assert free_kib > 0 or outcome == "disk_full"
            assert await _holds(box, workshop, first) or outcome == "disk_full"
            if free_kib == 0:
                assert not any(box.other.read_bytes())
            ballast.unlink()
            assert await _outcome(box, "with room", first) == "installed"
            assert await _holds(box, workshop, first)


async def test_a_version_to_go_back_to_survives_an_update_that_found_no_room(
    root: Path, tmp_path: Path, workshop: Workshop, first: Path, second: Path
) -> None:
    prepare(tmp_path)
    with small_disk(tmp_path / "data") as ballast:
        async with box_rauc(root, tmp_path, workshop.ours.file, PLAIN) as box:
            assert await _outcome(box, "first", first) == "installed"
            fill(ballast, 0)
            assert await _outcome(box, "second, no room", second) == "disk_full"
            assert not (await box.rauc.slots()).other.complete  # as RAUC remembers it
            assert (tmp_path / WISH).exists()
            await box.kill()
            assert await _holds(box, workshop, first)
            ballast.unlink()
            assert await _outcome(box, "second, with room", second) == "installed"
            assert await _holds(box, workshop, second)


@pytest.fixture(scope="module")
def wrong_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What makes a program believe another time."""
    library = tmp_path_factory.mktemp("clock") / "wrong_clock.so"
    build = ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(CLOCK)]
    subprocess.run(build, check=True, timeout=START_SECONDS)
    return library


def _off(clock: Path, offset: timedelta, *without: str) -> Wishes:
    seconds = f"{offset.total_seconds():.0f}"
    return Wishes("plain", without, clock, {"WRONG_CLOCK_SECONDS": seconds})


async def _installed_at(box: BoxRauc) -> datetime:
    """Return when RAUC believes that it wrote the other slot."""
    [rows] = await box.bus.call(INSTALLER, "GetSlotStatus")
    facts: dict[str, dict[str, Any]] = dict(rows)
    return datetime.fromisoformat(facts["rootfs.1"]["installed.timestamp"])


@pytest.mark.parametrize("offset", [TWENTY_YEARS, -TWENTY_YEARS], ids=["ahead", "behind"])
async def test_a_clock_that_is_twenty_years_off_keeps_no_update_from_a_box(
    root: Path,
    tmp_path: Path,
    workshop: Workshop,
    first: Path,
    wrong_clock: Path,
    offset: timedelta,
) -> None:
    prepare(tmp_path)
    wishes = _off(wrong_clock, offset)
    async with box_rauc(root, tmp_path, workshop.ours.file, wishes) as box:
        assert await _outcome(box, f"clock {offset.days // 365} years off", first) == "installed"
        assert await _holds(box, workshop, first)
        believed = await _installed_at(box) - datetime.now(UTC)
        assert abs(believed - offset) < timedelta(days=1)


@pytest.mark.parametrize(
    ("offset", "reason"),
    [(TWENTY_YEARS, "bundle_untrusted"), (-TWENTY_YEARS, "clock_behind")],
    ids=["ahead", "behind"],
)
async def test_without_the_time_of_its_signature_a_bundle_would_be_refused(
    root: Path,
    tmp_path: Path,
    workshop: Workshop,
    first: Path,
    wrong_clock: Path,
    offset: timedelta,
    reason: str,
) -> None:
    prepare(tmp_path)
    wishes = _off(wrong_clock, offset, SIGNING_TIME)
    async with box_rauc(root, tmp_path, workshop.ours.file, wishes) as box:
        assert await _outcome(box, "by the clock alone", first) == reason
        assert not any(box.other.read_bytes())


async def test_of_two_installations_at_once_one_is_done(
    root: Path, tmp_path: Path, workshop: Workshop, first: Path, second: Path
) -> None:
    prepare(tmp_path)
    async with box_rauc(root, tmp_path, workshop.ours.file, PLAIN) as box:
        both = [_outcome(box, bundle.stem, bundle) for bundle in (first, second)]
        assert await asyncio.gather(*both) == ["installed", "installer_busy"]
        assert await _holds(box, workshop, first)


async def test_an_installer_that_is_killed_while_it_writes_begins_anew(
    root: Path, tmp_path: Path, workshop: Workshop, first: Path
) -> None:
    prepare(tmp_path)
    async with box_rauc(root, tmp_path, workshop.ours.file, PLAIN) as box:
        kills: list[asyncio.Task[None]] = []

        def kill(_: int, what: str) -> None:
            if what.startswith("Copying image") and not kills:
                kills.append(asyncio.create_task(box.kill()))

        with pytest.raises(UpdateFailed) as caught:
            await box.rauc.install(str(first), kill)
        sys.stdout.write(f"killed while it writes: {caught.value.reason}\n")
        assert caught.value.reason in {"interrupted", "installer_unavailable"}
        await _holds(box, workshop, first)
        assert await _outcome(box, "again", first) == "installed"
        assert await _holds(box, workshop, first)


async def test_an_installer_that_ends_while_it_is_asked_is_asked_again(
    root: Path, tmp_path: Path, workshop: Workshop, first: Path
) -> None:
    prepare(tmp_path)
    async with box_rauc(root, tmp_path, workshop.ours.file, PLAIN) as box:
        await box.stop()
        asked = asyncio.create_task(box.rauc.inspect(str(first)))
        await asyncio.sleep(0)  # until it is asked
        await box.bus.call(DAEMON, "GetId")  # what was sent before this has arrived
        await box.kill()
        assert (await asked).version == "1.1.0"


async def test_an_installer_that_waits_for_a_silent_server_is_given_up_on_and_ended(
    root: Path, tmp_path: Path, workshop: Workshop, first: Path
) -> None:
    """It asks for the bundle's first bytes before there is anything that ends by itself."""
    prepare(tmp_path)
    asked = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        asked.set()
        await reader.read()
        writer.close()

    async with (
        box_rauc(root, tmp_path, workshop.ours.file, PLAIN) as box,
        await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server,
    ):
        port = server.sockets[0].getsockname()[1]
        limits = {"look_seconds": 0.1, "still_seconds": 1.0, "end_seconds": 0.1}
        impatient = Rauc(box.bus, wish=tmp_path / WISH, **limits)
        with pytest.raises(UpdateFailed) as caught:
            await impatient.install(f"http://127.0.0.1:{port}/{first.name}", lambda *_: None)
        sys.stdout.write(f"silent server: {caught.value.reason} ({caught.value.detail})\n")
        assert (caught.value.reason, asked.is_set()) == ("transfer_cut", True)
        assert (tmp_path / WISH).exists()
        assert await box.rauc.is_installing()
        await box.kill()
        assert await _outcome(box, "afterwards", first) == "installed"
