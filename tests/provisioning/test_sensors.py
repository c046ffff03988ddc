"""What only root may ask of the machine: the units that ask drives, in their sandboxes."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from allerac.hardware.sensors.drives import drive_of
from allerac.hardware.sensors.smart import document_of
from tests.provisioning.own_system import OwnSystem, running_system

ROLE = Path(__file__).parents[2] / "provisioning/roles/sensors"
SCRIPT = ROLE / "files/usr/libexec/allerac/smart"
RULES = (ROLE / "files/etc/udev/rules.d/90-allerac-sensors.rules").read_text()
HEALTHY = {"smart_status": {"passed": True}}
SMARTCTL = f"""#!/bin/sh
for drive in "$@"; do :; done
case $drive in
  /dev/sda) exec sleep 600 ;;
  *) echo '{json.dumps(HEALTHY)}' ;;
esac
"""
AS_RUNTIME = ("setpriv", "--reuid=970", "--regid=970", "--clear-groups")


def _ask(folder: Path, status: int) -> dict[str, str]:
    """Ask a drive whose smartctl ends with `status`; return the files that are kept afterwards."""
    program = folder / "bin/smartctl"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\necho 'status {status}'\nexit {status}\n")
    program.chmod(0o700)
    kept = folder / "kept"
    kept.mkdir(exist_ok=True)
    environment = {"PATH": f"{program.parent}:{os.environ['PATH']}", "RUNTIME_DIRECTORY": str(kept)}
    subprocess.run(["/bin/sh", SCRIPT, "sda"], env=environment, check=True, timeout=60)
    return {file.name: file.read_text().strip() for file in kept.iterdir()}


@pytest.mark.parametrize("status", [0, 4, 8, 64, 0b11111100])
def test_what_a_drive_said_is_kept_whatever_it_said(tmp_path: Path, status: int) -> None:
    assert _ask(tmp_path, status) == {"sda.json": f"status {status}"}


@pytest.mark.parametrize("status", [1, 2, 3, 0b01000010])
def test_a_drive_that_says_nothing_leaves_what_it_said_before(tmp_path: Path, status: int) -> None:
    assert _ask(tmp_path, status) == {}
    _ask(tmp_path, 8)
    assert _ask(tmp_path, status) == {"sda.json": "status 8"}


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("sda", True),
        ("nvme0n1", True),
        ("sr0", False),
        ("vda", False),
        ("nvme0c0n1", False),
        ("dm-0", False),
    ],
)
def test_drives_that_can_tell_of_their_health_are_asked(name: str, asked: bool) -> None:
    (patterns,) = re.findall(r'KERNEL=="(\S+)", ATTR\{removable\}=="0"', RULES)
    assert any(fnmatch(name, pattern) for pattern in patterns.split("|")) is asked


def test_energy_is_told_to_the_runtime_alone() -> None:
    (line,) = [line for line in RULES.splitlines() if "powercap" in line and line[0] != "#"]
    programs = re.findall(r'RUN\{program\}\+="([^"]+)"', line)
    file = "$sys$devpath/energy_uj"
    assert programs == [f"/usr/bin/chgrp allerac {file}", f"/usr/bin/chmod 0440 {file}"]


@pytest.mark.parametrize(
    "words",
    [
        ("/dev/absent",),
        ("/etc/hostname",),
        ("--device=nvme", "/etc/hostname"),
        ("--device=sat", "/etc/hostname"),
        ("--device=none", "/etc/hostname"),
    ],
    ids=" ".join,
)
def test_debians_smartctl_says_in_json_that_a_device_says_nothing(
    root: Path, words: tuple[str, ...]
) -> None:
    asked = [
        "/usr/sbin/chroot",
        str(root),
        "/usr/sbin/smartctl",
        "--json",
        "--all",
        "--nocheck=standby",
    ]
    told = subprocess.run([*asked, *words], capture_output=True, check=False, timeout=60)
    document = document_of(told.stdout)
    assert document["smartctl"]["version"][0] >= 7
    assert document["smartctl"]["exit_status"] == told.returncode
    assert told.returncode & 0b11, "what the unit's script takes for no answer"
    assert drive_of("sda", document) is None


@pytest.fixture(scope="module")
def box(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnSystem]:
    """A box whose smartctl hangs for one drive and answers for all others."""
    scratch = tmp_path_factory.mktemp("system")
    with running_system(root, scratch) as system:
        system.wait_for(("systemctl", "is-active", "basic.target"), "active")
        system.ask("sh", "-c", 'printf %s "$0" > /usr/sbin/smartctl', SMARTCTL)
        yield system


def test_a_drive_that_hangs_holds_no_other_and_is_given_up(box: OwnSystem) -> None:
    box.ask("systemctl", "start", "--no-block", "allerac-smart@sda.service")
    assert box.ask("systemctl", "start", "allerac-smart@sdb.service") == ""
    assert json.loads(box.ask(*AS_RUNTIME, "cat", "/run/allerac-smart/sdb.json")) == HEALTHY
    assert box.property("allerac-smart@sda.service", "ActiveState") == "activating"
    assert box.property("allerac-smart@sda.service", "TimeoutStartUSec") == "30s"
    box.ask("systemctl", "stop", "allerac-smart@sda.service")
    assert "sda.json\n" not in box.ask("ls", "/run/allerac-smart")


def test_a_drive_is_made_to_test_itself_and_one_that_hangs_is_given_up(box: OwnSystem) -> None:
    assert box.ask("systemctl", "start", "allerac-smart-test@sdb.service") == ""
    assert box.property("allerac-smart-test@sdb.service", "Result") == "success"
    assert box.property("allerac-smart-test@sda.service", "TimeoutStartUSec") == "30s"


def test_the_runtime_cannot_change_what_drives_said(box: OwnSystem) -> None:
    box.ask("systemctl", "start", "allerac-smart@sdb.service")
    assert "Permission denied" in box.ask(*AS_RUNTIME, "touch", "/run/allerac-smart/sdb.json")
    assert "Permission denied" in box.ask(*AS_RUNTIME, "touch", "/run/allerac-smart/sdc.json")


@pytest.mark.parametrize("name", ["allerac-smart", "allerac-smart-test"])
def test_a_unit_has_its_own_drive_and_no_other(box: OwnSystem, name: str) -> None:
    unit = f"{name}@sdb.service"
    devices = set(box.property(unit, "DeviceAllow").splitlines())
    assert devices == {"/dev/sdb rw", "char-rtc r"}  # the second is ProtectClock's
    assert box.property(unit, "DevicePolicy") == "closed"
    assert set(box.property(unit, "CapabilityBoundingSet").split()) == {
        "cap_sys_admin",
        "cap_sys_rawio",
    }


def test_drives_are_asked_at_the_start_and_every_ten_minutes(box: OwnSystem) -> None:
    told = box.ask("systemctl", "show", "--property=TimersMonotonic", "allerac-smart@sdb.timer")
    assert "OnActiveUSec=10s" in told
    assert "OnUnitActiveUSec=10min" in told


def test_the_runtime_alone_sees_where_memory_is_plugged_in(box: OwnSystem) -> None:
    socket, other = (f"/sys/firmware/dmi/entries/{kind}-0" for kind in (17, 1))
    box.ask("mount", "-t", "tmpfs", "tmpfs", "/sys/firmware")
    for entry in (socket, other):
        box.ask("mkdir", "-p", entry)
        box.ask("install", "-m", "0400", "/etc/hostname", f"{entry}/raw")
    box.ask("systemd-tmpfiles", "--create", "--prefix=/sys/firmware")
    assert "Permission denied" not in box.ask(*AS_RUNTIME, "cat", f"{socket}/raw")
    assert "Permission denied" in box.ask(*AS_RUNTIME, "cat", f"{other}/raw")
    assert box.ask("stat", "-c", "%a %U %G", f"{socket}/raw") == "440 root allerac\n"
