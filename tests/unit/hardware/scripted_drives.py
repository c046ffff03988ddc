"""Drives that answer smartctl by a script, below a recorded machine.

The units that speak to drives are played by a stand-in for systemctl: it runs what they run, with
a smartctl that plays the drives. Answers are made by hand from smartmontools 7.4's documentation
and source; none was copied from a real drive.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.recorded_machine import SMART_NVME, SMART_SATA

SENSORS = Path(__file__).parents[3] / "provisioning/roles/sensors/files"
SCRIPT = SENSORS / "usr/libexec/allerac/smart"
TEST_UNIT = SENSORS / "etc/systemd/system/allerac-smart-test@.service"

Answer = Mapping[str, Any]

SMARTCTL = """#!/bin/sh
# The last answer stands once all were given.
for drive in "$@"; do :; done
cd {drives}/"${{drive##*/}}" || exit 2
case "$*" in
  *--test=short*) echo begun >>begun; exit "$(cat refused 2>/dev/null || echo 0)" ;;
esac
[ -e hangs ] && exec sleep 30
set -- *.json
cat "$1"
[ $# -gt 1 ] && rm "$1"
exit "$(cat status 2>/dev/null || echo 0)"
"""
SYSTEMCTL = """#!/bin/sh
drive=${{2#*@}}
drive=${{drive%.service}}
PATH={bin}:$PATH
RUNTIME_DIRECTORY={kept}
export PATH RUNTIME_DIRECTORY
case $2 in
  allerac-smart@*) exec sh {script} "$drive" ;;
  allerac-smart-test@*) exec {begin} ;;
esac
exit 5
"""


class ScriptedDrives:
    """Writes drives below `folder`; `root` is the machine they are in."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self._drives = folder / "drives"
        bin_folder, kept = folder / "bin", self.root / "run/allerac-smart"
        for place in (self._drives, bin_folder, kept):
            place.mkdir(parents=True)
        (begin,) = (
            line.partition("=")[2].replace("/usr/sbin/", "").replace("%i", "$drive")
            for line in TEST_UNIT.read_text().splitlines()
            if line.startswith("ExecStart=")
        )
        facts = {"drives": self._drives, "bin": bin_folder, "kept": kept, "script": SCRIPT}
        for name, text in (("smartctl", SMARTCTL), ("systemctl", SYSTEMCTL)):
            program = bin_folder / name
            program.write_text(text.format(**facts, begin=begin))
            program.chmod(0o700)
        self.systemctl = (str(bin_folder / "systemctl"),)

    def add(
        self,
        name: str,
        answers: Sequence[Answer] = (),
        *,
        status: int = 0,
        refused: int = 0,
        hangs: bool = False,
        bus: str = "pci0000:00",
        removable: bool = False,
    ) -> None:
        """Build in a drive that gives these answers, one after the other."""
        device = self.root / "sys/devices" / bus / name
        device.mkdir(parents=True)
        (device / "removable").write_text(f"{removable:d}\n")
        block = self.root / "sys/block"
        block.mkdir(parents=True, exist_ok=True)
        (block / name).symlink_to(device)
        drive = self._drives / name
        drive.mkdir()
        for number, answer in enumerate(answers):
            (drive / f"{number:03}.json").write_text(json.dumps(answer))
        (drive / "status").write_text(str(status))
        (drive / "refused").write_text(str(refused))
        if hangs:
            (drive / "hangs").touch()

    def begun(self, name: str) -> int:
        """Return how often the drive was asked to test itself."""
        file = self._drives / name / "begun"
        return len(file.read_text().splitlines()) if file.exists() else 0


def sata(status: int, told: str = "completed without error", *, able: bool = True) -> Answer:
    """Return the answer of a SATA drive with this self-test execution status."""
    in_progress = status >> 4 == 15
    state: dict[str, Any] = {"value": status, "string": told}
    if in_progress:
        state |= {
            "string": f"in progress, {status % 16}0% remaining",
            "remaining_percent": status % 16 * 10,
        }
    return {
        **SMART_SATA,
        "ata_smart_data": {
            "self_test": {"status": state, "polling_minutes": {"short": 2, "extended": 10}},
            "capabilities": {"self_tests_supported": able},
        },
    }


def nvme(
    *results: tuple[int, int, str], done: int | None = None, able: bool = True, log: bool = True
) -> Answer:
    """Return the answer of an NVMe drive: (code, result, words), the last one first."""
    operation: dict[str, Any] = {
        "current_self_test_operation": {
            "value": 0 if done is None else 1,
            "string": "No self-test in progress" if done is None else "Short self-test in progress",
        },
        "table": [
            {
                "self_test_code": {"value": code, "string": "Short"},
                "self_test_result": {"value": result, "string": told},
                "power_on_hours": 3,
            }
            for code, result, told in results
        ],
    }
    if done is not None:
        operation["current_self_test_completion_percent"] = done
    answer = {**SMART_NVME, "nvme_optional_admin_commands": {"self_test": able}}
    return {**answer, "nvme_self_test_log": operation} if able and log else answer
