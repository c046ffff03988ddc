"""A drive takes the image that was made for its sectors, and no other."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from allerac_factory.cli import main
from allerac_factory.contents import look_at
from allerac_factory.image_set import open_image
from allerac_image.errors import BadInput
from allerac_image.layout import KINDS

from .small_image import NAME, SmallImage, make_small_image
from .unit_drive import leave_claimed, table_of
from .workshop import DRIVE_BYTES, QUICK, Workshop


@pytest.fixture(scope="module")
def image_4096(tmp_path_factory: pytest.TempPathFactory) -> SmallImage:
    """An image for drives with sectors of 4096 bytes."""
    return make_small_image(tmp_path_factory.mktemp("image-4096"), sector_bytes=4096)


@pytest.fixture
def workshop_4096(tmp_path: Path, image_4096: SmallImage) -> Workshop:
    """A station that has it."""
    return Workshop(tmp_path / "4096", image_4096)


def reasons(workshop: Workshop) -> list[str]:
    """Return why drives were refused."""
    return [act.observed["reasons"][0] for act in workshop.acts() if act.act == "refused"]


@pytest.mark.parametrize(("drive", "image"), [(4096, 512), (512, 4096)])
def test_drive_of_other_sectors_is_refused_with_the_image_it_takes(
    workshop: Workshop, workshop_4096: Workshop, drive: int, image: int
) -> None:
    shop = workshop if image == 512 else workshop_4096
    path = shop.drive("WD1", sector_bytes=drive)
    assert shop.flash() == 1
    assert reasons(shop) == [
        f"has sectors of {drive} bytes, the image is for {image}: "
        f"it takes one built with --tier vm --sector-bytes {drive}"
    ]
    assert look_at(path).kind == "blank"


def test_drive_with_large_sectors_becomes_a_unit(workshop_4096: Workshop) -> None:
    drive = workshop_4096.drive("WD1", sector_bytes=4096)
    assert workshop_4096.flash() == 0
    assert look_at(drive).serial == "ALR-VM-000001"
    table = table_of(drive)
    assert table.sector_bytes == 4096
    assert table.backup_offset == DRIVE_BYTES // 4096 * 4096 - 4096
    assert table.ids == table_of(workshop_4096.image.raw).ids


def test_claimed_unit_is_known_through_a_dock_that_tells_another_sector_size(
    workshop_4096: Workshop, workshop: Workshop, tmp_path: Path
) -> None:
    drive = workshop_4096.drive("WD1", sector_bytes=4096)
    assert workshop_4096.flash() == 0
    leave_claimed(drive, tmp_path, owner=True)
    workshop.drives.mkdir()
    drive.rename(workshop.drives / "WD1.img")
    assert workshop.flash() == 1
    assert reasons(workshop)[0].startswith("holds a claimed Allerac, ALR-VM-000001")


def test_image_without_a_partition_table_is_refused(own_image: SmallImage) -> None:
    empty = own_image.folder / "empty"
    empty.write_bytes(bytes(1 << 20))
    packed = own_image.folder / f"{NAME}.img.zst"
    subprocess.run(["zstd", "-q", "-f", str(empty), "-o", str(packed)], check=True)  # noqa: S607 - the tool of the distribution
    own_image.sign()
    with pytest.raises(BadInput, match="no partition table"):
        open_image(own_image.folder, "vm", own_image.trust)


@pytest.fixture
def loop_4096(tmp_path: Path) -> Iterator[Path]:
    """A block device with sectors of 4096 bytes."""
    if os.geteuid() != 0:
        pytest.skip("block devices are made by root")
    file = tmp_path / "disk"
    with file.open("wb") as made:
        made.truncate(DRIVE_BYTES // 4096 * 4096)
    made_loop = subprocess.run(
        ["losetup", "--find", "--show", "--sector-size", "4096", str(file)],  # noqa: S607 - as above
        capture_output=True,
        text=True,
        check=False,
    )
    if made_loop.returncode != 0:
        pytest.skip(f"loop devices are not allowed here: {made_loop.stderr.strip()}")
    device = Path(made_loop.stdout.strip())
    try:
        yield device
    finally:
        subprocess.run(["losetup", "--detach", str(device)], check=True)  # noqa: S607  as above


def test_block_device_with_large_sectors_is_written_as_its_kernel_reads_it(
    workshop_4096: Workshop, loop_4096: Path
) -> None:
    workshop_4096.drives.mkdir(parents=True)
    job = workshop_4096.job(targets=[{"path": str(loop_4096)}], count=1)
    assert main(workshop_4096.station_words(job), QUICK) == 0
    said = subprocess.run(
        ["sfdisk", "--json", str(loop_4096)],  # noqa: S607  the system's own
        capture_output=True,
        check=True,
    )
    table = json.loads(said.stdout)["partitiontable"]
    assert table["sectorsize"] == 4096
    assert [part["name"] for part in table["partitions"]] == list(KINDS)
