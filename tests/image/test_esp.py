"""The EFI system partition, for drives with sectors of 512 and of 4096 bytes."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from allerac_image.filesystems import make_esp
from allerac_image.log import StepLog, clean_environment
from tests.image.plans import plan_below

SECTOR_OFFSET = 11
"""Of the number of bytes in a sector, in the BIOS parameter block of a FAT file system."""


def esp_of(folder: Path, sector: int) -> Path:
    """Make the partition of a build below `folder` and return it."""
    plan = plan_below(folder, sector_bytes=sector)
    boot = plan.parts / "esp" / "EFI" / "BOOT"
    boot.mkdir(parents=True)
    (boot / "BOOTX64.EFI").write_bytes(b"MZ" * 1000)
    (boot / "grub.cfg").write_text("boot\n")
    return make_esp(plan, StepLog(folder / "log", clean_environment(plan.epoch)))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.mark.parametrize("sector", [512, 4096])
def test_firmware_finds_the_boot_loader(tmp_path: Path, sector: int) -> None:
    esp = esp_of(tmp_path, sector)
    with esp.open("rb") as file:
        file.seek(SECTOR_OFFSET)
        assert int.from_bytes(file.read(2), "little") == sector
    read = ["/usr/bin/mcopy", "-i", str(esp), "::/EFI/BOOT/BOOTX64.EFI", "-"]
    assert subprocess.run(read, capture_output=True, check=True).stdout == b"MZ" * 1000
    checked = subprocess.run(["/usr/sbin/fsck.vfat", "-n", esp], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_same_build_gives_the_same_bytes_in_another_folder(tmp_path: Path) -> None:
    folders = tmp_path / "one", tmp_path / "another"
    for folder in folders:
        folder.mkdir()
    assert len({_digest(esp_of(folder, 512)) for folder in folders}) == 1
