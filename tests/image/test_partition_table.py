"""Partition tables read back by the tools that a box and a factory use."""

import json
import subprocess
from pathlib import Path

import pytest

from allerac_image.layout import KINDS, LINUX_DATA, disk_bytes, partitions_of, places
from allerac_image.partition_table import HEADER, SIGNATURE, write_partition_table
from tests.image.plans import plan_below

DATA_BYTES = 64 << 20


def table_of(disk: Path, sector: int, data_bytes: int = DATA_BYTES) -> None:
    plan = plan_below(disk.parent)
    partitions = partitions_of(plan, data_bytes)
    with disk.open("wb") as file:
        file.truncate(disk_bytes(partitions))
    ids = [plan.uuid(label) for label in KINDS]
    write_partition_table(disk, partitions, sector, plan.uuid("disk"), ids)


def test_the_distributions_tool_finds_every_partition_and_no_fault(tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    table_of(disk, 512)
    verified = subprocess.run(
        ["/usr/sbin/sfdisk", "--verify", disk], capture_output=True, text=True
    )
    assert (verified.returncode, "No errors detected" in verified.stdout) == (0, True)
    dumped = subprocess.run(["/usr/sbin/sfdisk", "--json", disk], capture_output=True, check=True)
    table = json.loads(dumped.stdout)["partitiontable"]
    assert [part["name"] for part in table["partitions"]] == list(KINDS)
    plan = plan_below(tmp_path)
    expected = [
        (place // 512, partition.size // 512)
        for partition, place in places(partitions_of(plan, DATA_BYTES))
    ]
    assert [(part["start"], part["size"]) for part in table["partitions"]] == expected
    assert table["id"].lower() == plan.uuid("disk")
    assert [part["uuid"].lower() for part in table["partitions"]] == [
        plan.uuid(label) for label in KINDS
    ]


@pytest.mark.parametrize("sector", [512, 4096])
def test_both_copies_of_the_table_are_where_firmware_looks(tmp_path: Path, sector: int) -> None:
    disk = tmp_path / "disk.img"
    table_of(disk, sector)
    with disk.open("rb") as drive:
        headers = {}
        for position in (sector, disk.stat().st_size - sector):
            drive.seek(position)
            headers[position] = HEADER.unpack(drive.read(HEADER.size))
    for position, fields in headers.items():
        assert (fields[0], fields[5] * sector) == (SIGNATURE, position)


def test_only_the_data_partition_is_of_the_kind_that_grows() -> None:
    assert [label for label, kind in KINDS.items() if kind == LINUX_DATA] == ["data"]
