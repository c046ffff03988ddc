"""Faults that only a booted box can show; each takes a boot or more, so they are the matrix."""

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from allerac_image.grub import environment_block
from tests.image.booted_box import START_SECONDS, BootedBox, flashed_unit
from tests.image.conftest import BUILD_SECONDS, BuiltImage, build_vm
from tests.image.offline_disk import (
    UNIT_FAILED,
    check_ext4,
    folder_of,
    journal,
    partition,
    partitions,
)

pytestmark = [pytest.mark.matrix, pytest.mark.timeout(BUILD_SECONDS)]

BLOCK = "::/EFI/BOOT/grubenv"
SLOT = re.compile(r"rauc\.slot=([AB])")
GARBAGE_BYTES = 4 << 20


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


def _write_block(disk: Path, content: bytes) -> None:
    command = ["mcopy", "-o", "-i", _esp(disk), "-", BLOCK]
    subprocess.run(command, input=content, check=True, timeout=30)


def _read_block(disk: Path) -> dict[str, str]:
    command = ["mtype", "-i", _esp(disk), BLOCK]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


def _journal(box: BootedBox, folder: Path) -> list[dict[str, str]]:
    data = partition(box.disk, "data", folder / "data.img")
    assert check_ext4(data).returncode == 0
    return journal(folder_of(data, "/overlay/var/upper/log/journal", folder / "log"))


def _started_slots(entries: list[dict[str, str]]) -> list[str]:
    lines = [str(entry.get("MESSAGE")) for entry in entries]
    return [found[1] for line in lines if "Command line:" in line and (found := SLOT.search(line))]


def test_a_root_that_is_garbage_is_tried_three_times_and_the_other_slot_takes_over(
    unit: BootedBox, tmp_path: Path
) -> None:
    for part in ("boot", "root"):
        whole = partition(unit.disk, f"{part}-A", tmp_path / f"{part}.img").read_bytes()
        _overwrite(unit.disk, f"{part}-B", whole)
    _write_block(
        unit.disk,
        environment_block("ORDER=A B", "A_OK=1", "A_TRY=0", "B_OK=1", "B_TRY=0"),
    )
    _overwrite(unit.disk, "root-A", b"\xa5" * GARBAGE_BYTES)
    unit.switch_on()
    unit.find(4 * START_SECONDS)
    unit.switch_off()
    block = _read_block(unit.disk)
    assert block["A_TRY"] == "3"
    assert (block["B_OK"], block["B_TRY"]) == ("1", "0")
    assert _started_slots(_journal(unit, tmp_path)) == ["B"]


@pytest.mark.parametrize("block", [b"", bytes(1024), b"# GRUB Environment Block\nORDER=A"])
def test_a_box_starts_and_repairs_an_environment_block_that_is_no_longer_whole(
    unit: BootedBox, block: bytes
) -> None:
    _write_block(unit.disk, block)
    unit.switch_on()
    unit.find()
    unit.switch_off()
    repaired = _read_block(unit.disk)
    assert repaired["ORDER"].split() == ["A", "B"]
    assert (repaired["A_OK"], repaired["A_TRY"]) == ("1", "0")
    assert re.fullmatch(r"[0-9a-f]{32}", repaired["MACHINE_ID"])


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
    unit.switch_off()
    failed = [e for e in _journal(unit, tmp_path) if e.get("MESSAGE_ID") == UNIT_FAILED]
    assert failed == []


def test_a_disk_with_sectors_of_4096_bytes_boots(
    may_emulate_networks: None, tmp_path: Path
) -> None:
    image = build_vm(tmp_path / "image", sector_bytes=4096)
    with flashed_unit(image.file(".img"), tmp_path) as unit:
        unit.switch_on(sector_bytes=4096)
        unit.find()
        unit.switch_off()
