"""Drives test themselves, and whatever they do meanwhile, the burn-in comes to an end."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from allerac.hardware.drive_test import DriveTester, ProvenDrive, is_supported, self_test_of
from allerac.hardware.sensors import Sysfs
from tests.recorded_machine import SMART_SATA

from .scripted_drives import Answer, ScriptedDrives, nvme, sata

FINE = (1, 0, "Completed without error")


@pytest.fixture
def drives(tmp_path: Path) -> ScriptedDrives:
    return ScriptedDrives(tmp_path)


async def outcome(drives: ScriptedDrives, **limits: float) -> dict[str, tuple[str, str]]:
    """Return verdict and words by the drive's name."""
    return {one.name: (one.verdict, one.told) for one in await tested(drives, **limits)}


async def tested(drives: ScriptedDrives, **limits: float) -> list[ProvenDrive]:
    usual = {"limit_seconds": 60.0, "poll_seconds": 0.01, "answer_seconds": 60.0}
    tester = DriveTester(
        Sysfs(drives.root), lambda _: None, systemctl=drives.systemctl, **(usual | limits)
    )
    async with asyncio.timeout(100):
        return await tester.test_all()


async def test_drive_of_sata_is_watched_until_its_test_is_over(drives: ScriptedDrives) -> None:
    drives.add("sda", [sata(0), sata(0xF9), sata(0xF1), sata(0)])
    assert await outcome(drives) == {"sda": ("passed", "completed without error")}
    assert drives.begun("sda") == 1


async def test_drive_of_nvme_is_watched_until_its_test_is_over(drives: ScriptedDrives) -> None:
    drives.add("nvme0n1", [nvme(), nvme(done=10), nvme(done=90), nvme(FINE)])
    assert await outcome(drives) == {"nvme0n1": ("passed", "completed without error")}
    assert drives.begun("nvme0n1") == 1


@pytest.mark.parametrize(
    ("name", "answers", "told"),
    [
        (
            "sda",
            [sata(0), sata(0xF5), sata(0x79, "completed with error (read test element)")],
            "completed with error (read test element)",
        ),
        ("sda", [sata(0), sata(0x19, "was aborted by the host")], "was aborted by the host"),
        ("sda", [sata(0), sata(0xA0, "")], "ended with 10"),
        (
            "nvme0n1",
            [nvme(FINE), nvme(done=50), nvme((1, 7, "Completed: failed segments"), FINE)],
            "completed: failed segments",
        ),
        (
            "nvme0n1",
            [nvme(), nvme((2, 0, "Completed without error"))],
            "kept no result of its self-test",
        ),
        ("nvme0n1", [nvme(), nvme(log=False)], "kept no result of its self-test"),
    ],
)
async def test_drive_whose_test_ends_badly_fails_in_its_own_words(
    drives: ScriptedDrives, name: str, answers: list[Answer], told: str
) -> None:
    drives.add(name, answers)
    assert await outcome(drives) == {name: ("failed", told)}


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("vda", []),
        ("mmcblk0", []),
        ("sda", [sata(0, able=False)]),
        ("sda", [{"scsi_grown_defect_list": 0}]),
        ("nvme0n1", [nvme(able=False)]),
    ],
)
async def test_disk_without_self_tests_is_told_of_and_is_no_failure(
    drives: ScriptedDrives, name: str, answers: list[Answer]
) -> None:
    drives.add(name, answers)
    assert await outcome(drives) == {name: ("unsupported", "not supported by this disk")}
    assert drives.begun(name) == 0


async def test_only_drives_that_are_built_in_are_tested(drives: ScriptedDrives) -> None:
    drives.add("sda", [sata(0)])
    drives.add("sdb", [sata(0)], bus="pci0000:00/0000:00:14.0/usb2/2-1")
    drives.add("sdc", [sata(0)], removable=True)
    drives.add("nvme0c0n1", [nvme(FINE)])
    drives.add("mmcblk0boot0")
    assert list(await outcome(drives)) == ["sda"]
    assert drives.begun("sdb") == 0


async def test_machine_without_drives_has_none_to_tell_of(drives: ScriptedDrives) -> None:
    assert await outcome(drives) == {}


async def test_test_that_runs_already_is_waited_for_and_not_begun_anew(
    drives: ScriptedDrives,
) -> None:
    drives.add("sda", [sata(0xF4), sata(0xF2), sata(0)])
    assert (await outcome(drives))["sda"][0] == "passed"
    assert drives.begun("sda") == 0


async def test_drive_that_refuses_to_begin_fails(drives: ScriptedDrives) -> None:
    drives.add("sda", [sata(0)], refused=4)
    assert await outcome(drives) == {"sda": ("failed", "did not begin its self-test")}


@pytest.mark.parametrize("status", [1, 2])
async def test_drive_that_says_nothing_fails_whatever_it_said_before(
    drives: ScriptedDrives, status: int
) -> None:
    drives.add("sda", [sata(0)], status=status)
    kept = drives.root / "run/allerac-smart/sda.json"
    kept.write_text('{"ata_smart_data": {"capabilities": {"self_tests_supported": true}}}')
    assert await outcome(drives) == {"sda": ("failed", "does not say how it is")}


async def test_drive_that_hangs_fails_and_holds_no_other(drives: ScriptedDrives) -> None:
    drives.add("sda", [sata(0)], hangs=True)
    drives.add("sdb", [sata(0), sata(0)])
    found = await outcome(drives, answer_seconds=10.0)
    assert found == {
        "sda": ("failed", "does not say how it is"),
        "sdb": ("passed", "completed without error"),
    }


async def test_test_that_never_ends_fails_at_its_time_limit(drives: ScriptedDrives) -> None:
    drives.add("sda", [sata(0), sata(0xF1)])
    (one,) = await tested(drives, limit_seconds=3.0)
    assert (one.verdict, one.told) == ("failed", "did not end its self-test within 3 s")
    assert one.answer


async def test_machine_whose_units_cannot_be_started_says_so(drives: ScriptedDrives) -> None:
    drives.add("sda", [sata(0)])
    tester = DriveTester(
        Sysfs(drives.root), lambda _: None, systemctl=(str(drives.root / "missing"),)
    )
    (one,) = await tester.test_all()
    assert (one.verdict, one.told) == ("failed", "does not say how it is")


async def test_person_at_the_console_sees_how_far_it_is(drives: ScriptedDrives) -> None:
    drives.add("sda", [sata(0), sata(0xF7), sata(0)])
    lines: list[str] = []
    await DriveTester(
        Sysfs(drives.root), lines.append, systemctl=drives.systemctl, poll_seconds=0.01
    ).test_all()
    assert lines == ["  sda: 70 % of its self-test left"]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"ata_smart_data": []},
        {"ata_smart_data": {"self_test": {"status": "fine"}, "capabilities": None}},
        {"ata_smart_data": {"self_test": {"status": {"value": True}}}},
        {"nvme_self_test_log": 7},
        SMART_SATA,
    ],
)
def test_odd_answer_says_nothing_of_a_self_test(answer: dict[str, Any]) -> None:
    assert self_test_of(answer) is None
    assert not is_supported(answer)


def test_odd_rows_of_a_log_are_left_out() -> None:
    row = {"self_test_code": {"value": 1}, "self_test_result": {"value": 0}}
    state = self_test_of({"nvme_self_test_log": {"table": [None, 3, {"self_test_code": 1}, row]}})
    assert state is not None
    assert (state.passed, state.told) == (True, "ended with 0")
