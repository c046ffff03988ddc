"""Faults that only a booted box can show; each takes a boot or more, so they are the matrix."""

import base64
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from allerac_image.grub import BLOCK_BYTES, environment_block
from tests.image.booted_box import BootedBox, flashed_unit
from tests.image.conftest import BUILD_SECONDS, BuiltImage, build_image
from tests.image.offline_disk import (
    UNIT_FAILED,
    check_ext4,
    check_quickly,
    folder_of,
    journal,
    lose_file,
    partition,
    partitions,
    put_file,
)
from tests.image.updating import wait_until_proven
from tests.image.visited_box import START_SECONDS

pytestmark = [pytest.mark.matrix, pytest.mark.timeout(BUILD_SECONDS)]

BLOCK = "::/EFI/BOOT/grubenv"
SCRIPT = "::/EFI/BOOT/grub.cfg"
JOURNAL = "/overlay/var/upper/log/journal"
LABEL = "H7KM3XQ9"
STARTED = r"Linux version"
UNCORRECTED = 4
"""Errors that the quick check leaves to a person, in the status of e2fsck(8)."""
SLOT = re.compile(r"rauc\.slot=([AB])")
GARBAGE_BYTES = 4 << 20
BOTH = ("ORDER=A B", "A_OK=1", "A_TRY=0", "B_OK=1", "B_TRY=0")
TEAR_BYTES = 64


def _fill_slot_b(disk: Path, folder: Path) -> None:
    """Have the same system in both slots."""
    for part in ("boot", "root"):
        whole = partition(disk, f"{part}-A", folder / f"{part}.img").read_bytes()
        _overwrite(disk, f"{part}-B", whole)


@pytest.fixture
def unit(vm_image: BuiltImage, may_emulate_networks: None, tmp_path: Path) -> Iterator[BootedBox]:
    """A unit fresh from the factory, without power."""
    with flashed_unit(vm_image.file(".img"), tmp_path) as box:
        yield box


def _overwrite(disk: Path, name: str, content: bytes) -> None:
    with disk.open("r+b") as file:
        file.seek(partitions(disk)[name][0])
        file.write(content)


def _esp(disk: Path) -> str:
    return f"{disk}@@{partitions(disk)['esp'][0]}"


def _write(disk: Path, name: str, content: bytes) -> None:
    command = ["mcopy", "-o", "-i", _esp(disk), "-", name]
    subprocess.run(command, input=content, check=True, timeout=30)


def _read(disk: Path, name: str) -> str:
    command = ["mtype", "-i", _esp(disk), name]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


def _read_block(disk: Path) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", _read(disk, BLOCK), re.MULTILINE))


def _wait_for_block(box: BootedBox, **expected: str) -> None:
    """Wait until a running box has written so; it writes to its EFI partition without a cache."""
    deadline = time.monotonic() + START_SECONDS
    block: dict[str, str] = {}
    while not expected.items() <= block.items():
        assert box.emulator.running, box.emulator.serial[-4000:]
        assert time.monotonic() < deadline, block
        time.sleep(1)
        with suppress(subprocess.CalledProcessError):  # in the middle of a write
            block = _read_block(box.disk)


def _give_kernel(disk: Path, *parameters: str) -> None:
    script = _read(disk, SCRIPT)
    assert " $slot_parameters " in script
    parameters_added = " ".join(("$slot_parameters", *parameters))
    _write(disk, SCRIPT, script.replace("$slot_parameters ", f"{parameters_added} ").encode())


def _credential(name: str, text: str) -> str:
    """Return the kernel parameter for a credential, systemd.system-credentials(7)."""
    return f"systemd.set_credential_binary={name}:{base64.b64encode(text.encode()).decode()}"


def _journal(box: BootedBox, folder: Path) -> list[dict[str, str]]:
    data = partition(box.disk, "data", folder / "data.img")
    assert check_ext4(data).returncode == 0
    return journal(folder_of(data, JOURNAL, folder / "log"))


def _started_slots(entries: list[dict[str, str]]) -> list[str]:
    lines = [str(entry.get("MESSAGE")) for entry in entries]
    return [found[1] for line in lines if "Command line:" in line and (found := SLOT.search(line))]


def test_a_root_that_is_garbage_is_tried_three_times_and_the_other_slot_takes_over(
    unit: BootedBox, tmp_path: Path
) -> None:
    _fill_slot_b(unit.disk, tmp_path)
    _write(unit.disk, BLOCK, environment_block(*BOTH))
    _overwrite(unit.disk, "root-A", b"\xa5" * GARBAGE_BYTES)
    unit.switch_on()
    unit.find(4 * START_SECONDS)
    _wait_for_block(unit, A_TRY="3", B_OK="1", B_TRY="0")
    unit.switch_off()
    assert _started_slots(_journal(unit, tmp_path)) == ["B"]


@pytest.mark.parametrize(
    "block",
    [None, b"", bytes(BLOCK_BYTES), b"# GRUB Environment Block\nORDER=A"],
    ids=["missing", "empty", "zeroed", "torn"],
)
def test_a_box_starts_and_repairs_an_environment_block_that_is_no_longer_whole(
    unit: BootedBox, block: bytes | None
) -> None:
    if block is None:
        command = ["mdel", "-i", _esp(unit.disk), BLOCK]
        subprocess.run(command, check=True, timeout=30)
    else:
        _write(unit.disk, BLOCK, block)
    unit.switch_on()
    unit.find()
    _wait_for_block(unit, ORDER="A B", A_OK="1", A_TRY="0")
    unit.switch_off()
    assert re.fullmatch(r"[0-9a-f]{32}", _read_block(unit.disk)["MACHINE_ID"])


def test_the_kernel_starts_wherever_the_write_of_the_block_was_torn(
    unit: BootedBox, tmp_path: Path
) -> None:
    _fill_slot_b(unit.disk, tmp_path)
    block = environment_block("ORDER=B A", *BOTH[1:])
    started = {}
    for torn_at in range(0, BLOCK_BYTES + 1, TEAR_BYTES):
        _write(unit.disk, BLOCK, block[:torn_at] + bytes(BLOCK_BYTES - torn_at))
        unit.switch_on()
        line = unit.emulator.wait_for_serial(r"[Cc]ommand line:.*\n", START_SECONDS)
        found = SLOT.search(line[0])
        started[torn_at] = found[1] if found else ""
        unit.emulator.kill()
    assert set(started.values()) <= {"A", "B"}, started
    assert started[BLOCK_BYTES] == "B"


def test_data_fills_a_disk_that_is_twice_as_large(unit: BootedBox, tmp_path: Path) -> None:
    size = unit.disk.stat().st_size
    with unit.disk.open("r+b") as file:
        file.truncate(2 * size)
    unit.switch_on()
    unit.find()
    unit.wait_ready()
    unit.switch_off()
    start, length = partitions(unit.disk)["data"]
    assert 2 * size - (start + length) < 2 << 20
    data = partition(unit.disk, "data", tmp_path / "data.img")
    assert check_ext4(data).returncode == 0
    command = ["dumpe2fs", "-h", str(data)]
    facts = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    blocks = int(re.search(r"^Block count:\s+(\d+)", facts, re.MULTILINE)[1])  # type: ignore[index]
    assert blocks * 4096 > 0.99 * length


def test_a_box_whose_clock_says_1970_can_be_claimed_and_trusted(
    unit: BootedBox, tmp_path: Path
) -> None:
    unit.switch_on(clock=datetime(1970, 1, 1, tzinfo=UTC))
    unit.find()
    unit.claim(unit.claim_code())
    unit.wait_ready()
    conversation = unit.call("POST", "/conversations", {})["id"]
    assert unit.follow(unit.say(conversation, "Hello")["answer"]["id"])[-1][0] == "done"
    authority = unit.request("GET", "/ca.crt")["body"]
    url = f"https://{unit.address}/api/v1/status"
    assert unit.ask("trusting", url=url, authority=authority)["status"] == 200
    wait_until_proven(unit)  # whose end by the power button is a failure in the journal
    unit.switch_off()
    failed = [e for e in _journal(unit, tmp_path) if e.get("MESSAGE_ID") == UNIT_FAILED]
    assert failed == []


def test_a_unit_whose_code_is_on_its_label_is_claimed_with_it_and_shows_none(
    unit: BootedBox, tmp_path: Path
) -> None:
    facts = {"claim-code.hash": PasswordHasher().hash(LABEL), "hostname-suffix": "k7m2"}
    for name, fact in facts.items():
        (tmp_path / name).write_text(f"{fact}\n")
        put_file(unit.disk, "identity", tmp_path / name)
    unit.switch_on()
    unit.find()
    unit.emulator.wait_for_serial("The claim code is on the label", START_SECONDS)
    unit.claim(f"{LABEL[:4]}-{LABEL[4:]}")
    unit.wait_for_name("allerac-k7m2.local")
    assert "laim code: " not in unit.emulator.serial


def test_a_disk_with_sectors_of_4096_bytes_boots(
    may_emulate_networks: None, tmp_path: Path
) -> None:
    image = build_image(tmp_path / "image", sector_bytes=4096)
    with flashed_unit(image.file(".img"), tmp_path) as unit:
        unit.switch_on(sector_bytes=4096)
        unit.find()
        unit.switch_off()


def test_a_system_that_never_proves_itself_restarts_and_its_try_is_counted(
    unit: BootedBox,
) -> None:
    deadline = _credential(
        "systemd.unit-dropin.allerac-boot-deadline.timer", "[Timer]\nOnBootSec=\nOnBootSec=2min\n"
    )
    _give_kernel(unit.disk, "systemd.mask=allerac.service", deadline)
    unit.switch_on()
    unit.emulator.wait_for_serial("reboot: Restarting system", START_SECONDS)
    unit.emulator.kill()  # as far as it is the box's doing
    assert "Kernel panic" not in unit.emulator.serial
    assert _read_block(unit.disk)["A_TRY"] == "1"


def test_a_system_that_hangs_is_reset_by_the_watchdog(unit: BootedBox, tmp_path: Path) -> None:
    hang = "[Service]\nType=oneshot\nExecStart=/usr/bin/python3 -c 'import os; os.kill(1, 6)'\n"
    unit_file = _credential("systemd.extra-unit.hang.service", hang)
    _give_kernel(unit.disk, unit_file, "systemd.wants=hang.service")
    unit.switch_on()
    first = unit.emulator.wait_for_serial(STARTED, START_SECONDS)
    unit.emulator.wait_for_serial(STARTED, 2 * START_SECONDS, after=first.end())
    unit.emulator.kill()
    data = partition(unit.disk, "data", tmp_path / "data.img")
    check_ext4(data)
    entries = journal(folder_of(data, JOURNAL, tmp_path / "log"))
    assert "Freezing execution." in [entry.get("MESSAGE") for entry in entries]


def test_data_with_faults_that_a_quick_check_leaves_to_a_person_is_repaired(
    unit: BootedBox, tmp_path: Path
) -> None:
    stray = tmp_path / "stray"
    stray.write_text("found again\n")
    lose_file(unit.disk, "data", stray)
    before = partition(unit.disk, "data", tmp_path / "before.img")
    assert check_quickly(before) & UNCORRECTED
    unit.switch_on()
    unit.find()
    unit.switch_off()
    after = partition(unit.disk, "data", tmp_path / "after.img")
    assert check_ext4(after).returncode == 0
    (found,) = folder_of(after, "/lost+found", tmp_path / "f").iterdir()
    assert found.read_text() == "found again\n"
