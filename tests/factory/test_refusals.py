"""Every drive that must not be written is refused, with the reason, and stays as it is."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from allerac_factory.contents import look_at
from allerac_factory.drives import Drive, SystemDrives, drives_of

from .unit_drive import leave_claimed, table_of
from .workshop import Workshop


def refusals(workshop: Workshop) -> dict[str, str]:
    """Return the reasons by drive, from the ledger."""
    return {
        act.observed["drive"]: "; ".join(act.observed["reasons"])
        for act in workshop.acts()
        if act.act == "refused"
    }


@pytest.mark.parametrize(
    ("looks", "reason"),
    [
        ({"mounted": ["/"]}, "this machine runs from it"),
        ({"mounted": ["[SWAP]"]}, "this machine runs from it"),
        ({"mounted": ["/media/ana"]}, "mounted at /media/ana"),
        ({"held_by": ["vg0-root"]}, "in use by vg0-root"),
        ({"read_only": True}, "read-only"),
        ({"serial": "0000000000"}, "is a placeholder"),
        ({"serial": "WD1"}, "another drive says it is WD1 too"),
    ],
)
def test_drive_that_is_in_use_or_nameless_is_refused(
    workshop: Workshop, looks: dict[str, Any], reason: str
) -> None:
    workshop.drive("WD1")
    workshop.drive("WD3")
    drive = workshop.drive("WD2", **looks)
    assert workshop.flash() == 1
    assert reason in refusals(workshop)[looks.get("serial", "WD2")]
    assert look_at(drive).kind == "blank"
    assert look_at(workshop.drives / "WD3.img").kind == "allerac"


def test_drive_that_no_target_names_is_left_alone(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    workshop.drive("WD1")
    other = workshop.drive("WD2")
    assert workshop.flash(targets=[{"drive": "WD1"}], count=1) == 0
    assert look_at(other).kind == "blank"
    workshop.flash("--dry-run", targets=[{"drive": "WD1"}], count=1)
    assert "not on the job's list" in capsys.readouterr().out


def test_target_that_is_not_plugged_in_is_told(workshop: Workshop) -> None:
    workshop.drive("WD1")
    targets = [{"drive": "WD1"}, {"drive": "WD9"}]
    assert workshop.flash(targets=targets, count=2) == 1
    assert refusals(workshop) == {"": "not there"}


def test_no_more_than_count_are_made(workshop: Workshop) -> None:
    for name in ("WD1", "WD2", "WD3"):
        workshop.drive(name)
    assert workshop.flash(count=2) == 1
    assert refusals(workshop) == {"WD3": "the job makes 2"}
    assert workshop.flash(count=2) == 1
    assert len(workshop.units()) == 2


def test_serial_is_never_given_twice(workshop: Workshop) -> None:
    workshop.drive("WD1")
    assert workshop.flash() == 0
    workshop.drive("WD2")
    targets = [{"drive": "WD2", "unit": "ALR-VM-000001"}]
    assert workshop.flash(targets=targets, count=1, batch="another") == 1
    assert "was given to another unit" in refusals(workshop)["WD2"]
    assert workshop.flash(targets=[{"drive": "WD2"}], count=1, batch="another") == 0
    assert workshop.units()["ALR-VM-000002"].drive == "WD2"


def test_claimed_allerac_is_given_up_only_by_its_last_four(
    workshop: Workshop, tmp_path: Path
) -> None:
    drive = workshop.drive("WD1")
    assert workshop.flash() == 0
    leave_claimed(drive, tmp_path, owner=True)
    before = drive.stat().st_mtime_ns
    shutil.rmtree(workshop.records)  # it comes from another station
    assert workshop.flash() == 1
    assert "holds a claimed Allerac, ALR-VM-000001" in refusals(workshop)["WD1"]
    assert workshop.flash("--give-up", "0002") == 1
    assert drive.stat().st_mtime_ns == before
    assert workshop.flash("--give-up", "0001") == 0
    assert not look_at(drive).claimed


def test_allerac_that_nobody_claimed_is_written_without_a_question(
    workshop: Workshop, tmp_path: Path
) -> None:
    drive = workshop.drive("WD1")
    assert workshop.flash() == 0
    leave_claimed(drive, tmp_path, owner=False)
    shutil.rmtree(workshop.records)
    assert not look_at(drive).claimed
    assert workshop.flash() == 0


def test_allerac_whose_data_cannot_be_read_counts_as_claimed(workshop: Workshop) -> None:
    drive = workshop.drive("WD1")
    assert workshop.flash() == 0
    with drive.open("r+b") as file:
        file.seek(table_of(drive).partition("data").offset + 1024)
        file.write(bytes(1024))
    assert look_at(drive).claimed


def test_dry_run_shows_what_would_happen_and_does_nothing(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = workshop.drive("WD1")
    workshop.drive("WD2", mounted=["/"])
    assert workshop.flash("--dry-run") == 0
    out = capsys.readouterr().out
    assert "ALR-VM-000001" in out
    assert "this machine runs from it" in out
    assert "1 of 2 would be written." in out
    assert look_at(drive).kind == "blank"
    assert workshop.acts() == []
    assert not workshop.cache.exists()


LSBLK = {
    "blockdevices": [
        {
            "path": "/dev/nvme0n1",
            "size": 512110190592,
            "serial": "S4",
            "model": "EVO",
            "mountpoints": [None],
            "type": "disk",
            "ro": False,
            "log-sec": 512,
            "children": [
                {
                    "name": "nvme0n1p2",
                    "mountpoints": [None],
                    "type": "part",
                    "children": [
                        {
                            "name": "cryptroot",
                            "mountpoints": [None],
                            "type": "crypt",
                            "children": [
                                {"name": "vg0-root", "mountpoints": ["/"], "type": "lvm"},
                            ],
                        }
                    ],
                }
            ],
        },
        {
            "path": "/dev/sdb",
            "size": 64023257088,
            "serial": " WD7 ",
            "model": None,
            "mountpoints": [None],
            "type": "disk",
            "ro": False,
            "log-sec": 512,
        },
        {
            "path": "/dev/sdc",
            "size": 0,
            "serial": None,
            "model": "Card reader",
            "mountpoints": [None],
            "type": "disk",
            "ro": False,
            "log-sec": 512,
        },
    ]
}


def test_system_below_encryption_and_volumes_is_found() -> None:
    system, spare = drives_of(LSBLK, {Path("/dev/sdb"): "pci-1"})
    assert system.is_system
    assert system.held_by == ("cryptroot", "vg0-root")
    assert spare == Drive(Path("/dev/sdb"), 64023257088, 512, serial="WD7", port="pci-1")


def test_drive_that_this_machine_runs_from_is_known_as_such() -> None:
    said = subprocess.run(
        ["findmnt", "--noheadings", "--output", "SOURCE", "/"],  # noqa: S607  the system's own
        capture_output=True,
        text=True,
        check=True,
    )
    if not said.stdout.startswith("/dev/"):
        pytest.skip("the root of this machine is on no drive")
    assert any(drive.is_system for drive in SystemDrives().find())


def test_drive_that_the_station_itself_left_half_written_is_written_again(
    workshop: Workshop,
) -> None:
    drive = workshop.drive("WD1", faults={"lies_at": 12 << 20})
    assert workshop.flash() == 1
    with drive.open("r+b") as file:
        file.seek(table_of(workshop.image.raw).partition("data").offset + 1024)
        file.write(bytes(1024))
    workshop.drives.joinpath("WD1.yaml").unlink()
    assert look_at(drive).torn
    assert workshop.flash() == 0
