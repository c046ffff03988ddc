"""What a drive gives back as its partition table is compared with what it was given."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from allerac_factory.errors import UnitFailed
from allerac_factory.gpt import Table, packed_table
from allerac_factory.practice import FileDisk
from allerac_factory.writing import fit_table

from .small_image import SmallImage
from .unit_drive import table_of
from .workshop import DRIVE_BYTES, Workshop

SECTOR = 512
OTHER_ID = "11111111-2222-4333-8444-555555555555"


class ForgetfulDisk(FileDisk):
    """A drive that says it wrote, and did not, where `forgets` lies."""

    forgets = -1

    def write(self, offset: int, content: memoryview) -> None:
        """Write, except there."""
        if not offset <= self.forgets < offset + len(content):
            super().write(offset, content)


class OtherDisk(FileDisk):
    """A drive that gives back what somebody else wrote to it meanwhile."""

    meanwhile: dict[int, bytes] = {}  # noqa: RUF012  one for the test that sets it

    def flush(self) -> None:
        """Flush, and be written by somebody else."""
        super().flush()
        with self.path.open("r+b") as file:
            for offset, content in self.meanwhile.items():
                file.seek(offset)
                file.write(content)


@pytest.fixture
def drive(tmp_path: Path, small_image: SmallImage) -> Iterator[Path]:
    """A drive that was just given the image."""
    path = tmp_path / "WD1.img"
    shutil.copyfile(small_image.raw, path)
    with path.open("r+b") as file:
        file.truncate(DRIVE_BYTES)
    yield path
    path.unlink()


def altered(table: Table) -> Table:
    """Return the table with another PARTUUID."""
    first, *others = table.entries
    return replace(table, entries=(replace(first, id=OTHER_ID), *others))


def test_drive_that_did_not_write_the_first_copy_is_found(drive: Path) -> None:
    with ForgetfulDisk(drive, DRIVE_BYTES) as disk:
        disk.forgets = SECTOR
        with pytest.raises(UnitFailed, match="second copy of the table is not at the end"):
            fit_table(disk, SECTOR, None)


def test_drive_that_did_not_write_the_second_copy_is_found(drive: Path) -> None:
    with ForgetfulDisk(drive, DRIVE_BYTES) as disk:
        disk.forgets = DRIVE_BYTES - SECTOR
        with pytest.raises(UnitFailed, match="no partition table") as failure:
            fit_table(disk, SECTOR, None)
    assert failure.value.cause == "partition table"


@pytest.mark.parametrize("copy", ["first", "second"])
def test_drive_with_other_partitions_than_the_images_is_found(drive: Path, copy: str) -> None:
    parts = sorted(packed_table(altered(table_of(drive)), DRIVE_BYTES).items())
    offset, content = parts[0 if copy == "first" else 1]
    with OtherDisk(drive, DRIVE_BYTES) as disk:
        disk.meanwhile = {offset: content}
        with pytest.raises(UnitFailed, match="not those of the image"):
            fit_table(disk, SECTOR, None)


def test_drive_that_gives_the_table_back_wrong_is_lost_for_that(workshop: Workshop) -> None:
    workshop.drive("WD1", faults={"lies_at": DRIVE_BYTES - SECTOR + 60})
    assert workshop.flash() == 1
    facts = workshop.units()["ALR-VM-000001"].facts
    assert facts["cause"] == "partition table"
    assert "damaged" in facts["message"]
