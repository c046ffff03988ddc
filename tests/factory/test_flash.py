"""Drives become units: written, read back, with a table and an identity of their own."""

import json
import re
import subprocess

import pytest

from allerac_factory.contents import look_at
from allerac_factory.file_system import Ext4
from allerac_image.layout import KINDS

from .unit_drive import table_of
from .workshop import DRIVE_BYTES, Workshop


def test_all_drives_of_a_job_hold_the_image_and_their_own_identity(workshop: Workshop) -> None:
    drives = [workshop.drive(name) for name in ("WD1", "WD2", "WD3")]
    assert workshop.flash() == 0
    serials = [f"ALR-VM-{number:06}" for number in (1, 2, 3)]
    raw = workshop.image.raw.read_bytes()
    for drive, serial in zip(drives, serials, strict=True):
        assert look_at(drive).serial == serial
        table = table_of(drive)
        for label in ("esp", "boot-A", "boot-B", "root-A", "root-B", "data"):
            part = table.partition(label)
            with drive.open("rb") as file:
                file.seek(part.offset)
                assert file.read(part.size) == raw[part.offset : part.offset + part.size], label
    assert {serial: unit.stage for serial, unit in workshop.units().items()} == dict.fromkeys(
        serials, "ready"
    )


def test_partition_table_is_right_for_the_drive_and_keeps_the_images_ids(
    workshop: Workshop,
) -> None:
    drive = workshop.drive("WD1")
    assert workshop.flash() == 0
    verified = subprocess.run(
        ["sfdisk", "--verify", str(drive)],  # noqa: S607  # the system's own
        capture_output=True,
        text=True,
        check=True,
    )
    assert "No errors detected" in verified.stdout
    assert "PMBR" not in verified.stderr + verified.stdout
    said = subprocess.run(
        ["sfdisk", "--json", str(drive)],  # noqa: S607  # the system's own
        capture_output=True,
        check=True,
    )
    parts = json.loads(said.stdout)["partitiontable"]["partitions"]
    assert [part["name"] for part in parts] == list(KINDS)
    assert {p["name"]: p["uuid"].lower() for p in parts} == table_of(workshop.image.raw).ids
    assert table_of(drive).backup_offset == DRIVE_BYTES // 512 * 512 - 512


def test_what_a_used_drive_held_is_gone_also_where_the_image_is_empty(workshop: Workshop) -> None:
    drive = workshop.drive("WD1", size=DRIVE_BYTES)
    with drive.open("r+b") as file:
        file.seek(30 << 20)
        file.write(b"\xa5" * (8 << 20))
    assert workshop.flash() == 0
    table = table_of(drive)
    for label in ("boot-B", "root-B"):
        part = table.partition(label)
        with drive.open("rb") as file:
            file.seek(part.offset)
            assert not any(file.read(part.size))


def test_identity_on_the_partition_is_readable_by_those_it_is_for(workshop: Workshop) -> None:
    drive = workshop.drive("WD1")
    assert workshop.flash() == 0
    system = Ext4(drive, table_of(drive).partition("identity").offset)
    system.check()
    for name, owner, mode in (
        ("", 0, "0755"),
        ("serial", 0, "0644"),
        ("device.key", 0, "0600"),
        ("claim-code.hash", 970, "0400"),
        ("factory-mode", 0, "0644"),
    ):
        said = system.stat(f"/{name}")
        assert re.search(rf"Mode: +{mode}\b", said), said
        assert re.search(rf"User: +{owner} +Group: +{owner}\b", said), said


@pytest.mark.parametrize(
    ("faults", "cause"),
    [
        ({"pulled_after": 10 << 20}, "drive gone"),
        ({"bad_block": 12 << 20}, "drive error"),
        ({"lies_at": 12 << 20}, "read-back"),
    ],
)
def test_drive_that_fails_is_lost_alone(
    workshop: Workshop, faults: dict[str, int], cause: str
) -> None:
    workshop.drive("WD1")
    workshop.drive("WD2", faults=faults)
    workshop.drive("WD3")
    assert workshop.flash() == 1
    units = workshop.units()
    assert [unit.stage for unit in units.values()] == ["ready", "failed", "ready"]
    assert units["ALR-VM-000002"].facts["cause"] == cause


def test_second_run_leaves_finished_units_and_repeats_the_failed_one(workshop: Workshop) -> None:
    good = workshop.drive("WD1")
    workshop.drive("WD2", faults={"pulled_after": 0})
    assert workshop.flash() == 1
    before = good.stat().st_mtime_ns
    workshop.drive("WD2", faults={})
    assert workshop.flash() == 0
    assert good.stat().st_mtime_ns == before
    assert {unit.drive: unit.serial for unit in workshop.units().values()} == {
        "WD1": "ALR-VM-000001",
        "WD2": "ALR-VM-000002",
    }
    assert all(unit.is_finished for unit in workshop.units().values())


def test_nothing_is_written_when_no_drive_is_accepted(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = workshop.drive("WD1", size=1 << 20)
    assert workshop.flash() == 1
    assert "too small" in capsys.readouterr().out
    assert not any(drive.read_bytes())
