"""A unit's first start under the target's own systemd: its rights, its screen, the station's drive.

It has no network card, so that it fails its burn-in, and says so.
"""

import hashlib
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.provisioning.own_system import OwnSystem, running_system

ROLES = Path(__file__).parents[2] / "provisioning/roles"
RULES = (ROLES / "update/files/etc/udev/rules.d/90-allerac-drive.rules").read_text()
SERIAL = "ALR-VM-000042"
BURN_IN = "allerac-burn-in.service"
SHORT = "[Service]\nExecStart=\nExecStart=/opt/allerac/venv/bin/allerac burn-in {}\n"
LITTLE = SHORT.format("--seconds=0 --memory-mb=16 --disk-mb=4")
KIND = "vfat" if "\tvfat\n" in Path("/proc/filesystems").read_text() else "ext4"
"""Of a drive: what most are, where the kernel of this machine knows it."""

STICK_BYTES = 16 << 20
FOLDER = "allerac-certificates"
NAME = f"{SERIAL}-birth-certificate.json"
READERS = "ro,nosuid,nodev,noexec"
PATIENCE_SECONDS = 120.0
CLEAR = "\x1b[2J"
OWN_MOUNTS = ("unshare", "--mount", "--propagation", "private")
ASK = 'mount -t "$0" "$1" "$2" && mkdir "$2/$3" && umount "$2"'


def _do(*words: str | Path) -> str:
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


def _write(box: OwnSystem, path: str, content: str) -> None:
    box.ask("mkdir", "-p", str(Path(path).parent))
    box.ask("sh", "-c", f'printf %s "$0" > {path}', content)


@contextmanager
def plugged_in(box: OwnSystem, folder: Path, *, asks: bool = True) -> Iterator[tuple[str, Path]]:
    """Plug in a drive, mounted for readers as the rule has it; yield its device and its file.

    It asks by a folder made among mounts that no system which starts meanwhile takes over: it would
    keep the drive writable, and a file system is not mounted for reading beside that.
    """
    image = folder / f"{KIND}.img"
    with image.open("wb") as file:
        file.truncate(STICK_BYTES)
    _do(f"mkfs.{KIND}", image)
    device = _do("losetup", "--find", "--show", image)
    at = Path(folder / "mounted")
    at.mkdir()
    try:
        if asks:
            _do(*OWN_MOUNTS, "sh", "-ec", ASK, KIND, device, at, FOLDER)
        name = Path(device).name
        box.ask("mknod", device, "b", "7", name.removeprefix("loop"))
        box.ask("mkdir", "-p", f"/run/media/allerac/{name}")
        said = box.ask("mount", "-t", KIND, "-o", READERS, device, f"/run/media/allerac/{name}")
        assert not said, said
        yield name, image
        box.ask("umount", f"/run/media/allerac/{name}")
        box.ask("rm", device)
    finally:
        _do("losetup", "--detach", device)


def on_drive(box: OwnSystem, name: str) -> Any:
    """Wait until the drive has the certificate and return it as a reader sees it."""
    path = f"/run/media/allerac/{name}/{FOLDER}/{NAME}"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (told := box.ask("cat", path)).startswith("{"):
        assert time.monotonic() < deadline, box.ask("journalctl", "-b", "-u", "allerac-*")
        time.sleep(0.2)
    return json.loads(told)


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the file of the drive lies that is there from the beginning."""
    return tmp_path_factory.mktemp("early")


@pytest.fixture(scope="module")
def unit(
    root: Path, drive: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[OwnSystem, str]]:
    """A unit whose burn-in is over, and the drive that it had meanwhile."""
    with running_system(root, tmp_path_factory.mktemp("system")) as box:
        box.wait_for(("systemctl", "is-active", "allerac.service"), "active")
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        facts = {"serial": SERIAL, "tier": "vm", "flash-id": "0198c0de", "device-id": "d1"}
        for name, content in {**facts, "device.key": pem, "factory-mode": ""}.items():
            _write(box, f"/identity/{name}", content)
        box.ask("chmod", "600", "/identity/device.key")
        _write(box, f"/run/systemd/system/{BURN_IN}.d/90-little.conf", LITTLE)
        box.ask("systemctl", "daemon-reload")
        with plugged_in(box, drive) as (name, _):
            box.ask("systemctl", "start", "--no-block", BURN_IN)
            box.wait_for(("systemctl", "is-active", BURN_IN), "failed")
            yield box, name


def test_burn_in_has_the_rights_that_its_checks_need(unit: tuple[OwnSystem, str]) -> None:
    box, _ = unit
    assert "cap_dac_override" in box.property(BURN_IN, "CapabilityBoundingSet").split()
    kept = json.loads(box.ask("cat", "/identity/birth-certificate.json"))["certificate"]
    checks = {check["name"]: check for check in kept["checks"]}
    assert checks["tpm"]["measured"]["device_key"] == "partition"
    assert checks["disk"]["passed"], checks["disk"]
    assert checks["memory"]["passed"]
    assert not kept["passed"]
    assert box.ask("cat", "/identity/factory-mode") == ""
    assert box.ask("find", "/data/allerac", "-user", "root") == ""
    box.wait_for(("systemctl", "is-active", "allerac.service"), "active")


def test_burn_in_may_speak_to_the_tpm_and_to_no_other_device(unit: tuple[OwnSystem, str]) -> None:
    box, _ = unit
    devices = set(box.property(BURN_IN, "DeviceAllow").splitlines())
    assert devices == {"/dev/tpmrm0 rw", "char-rtc r"}  # the second is ProtectClock's
    assert box.property(BURN_IN, "DevicePolicy") == "closed"


def test_drive_that_was_there_has_the_certificate_when_the_burn_in_is_over(
    unit: tuple[OwnSystem, str],
) -> None:
    box, name = unit
    kept = json.loads(box.ask("cat", "/identity/birth-certificate.json"))
    assert on_drive(box, name) == kept
    assert "Read-only file system" in box.ask("touch", f"/run/media/allerac/{name}/x")


def test_drive_that_is_plugged_in_later_gets_it_too(
    unit: tuple[OwnSystem, str], tmp_path: Path
) -> None:
    box, _ = unit
    with plugged_in(box, tmp_path) as (name, _):
        box.ask("systemctl", "start", f"allerac-hand-over@{name}.service")
        assert on_drive(box, name)["certificate"]["serial"] == SERIAL
        assert "Read-only file system" in box.ask("touch", f"/run/media/allerac/{name}/x")
        seen = box.ask("ls", f"/run/media/allerac/{name}").split()
        assert set(seen) - {"lost+found"} == {FOLDER}
    assert "allerac-drive-" not in box.ask("cat", "/proc/mounts")


def test_drive_that_does_not_ask_keeps_every_byte(
    unit: tuple[OwnSystem, str], tmp_path: Path
) -> None:
    box, _ = unit
    with plugged_in(box, tmp_path, asks=False) as (name, image):
        before = hashlib.sha256(image.read_bytes()).digest()
        box.ask("systemctl", "start", f"allerac-hand-over@{name}.service")
        unit_log = ("journalctl", "-b", "-u", f"allerac-hand-over@{name}.service")
        assert "does not ask" in box.ask(*unit_log)
        assert hashlib.sha256(image.read_bytes()).digest() == before


def test_drive_that_is_gone_leaves_no_failed_unit(unit: tuple[OwnSystem, str]) -> None:
    box, _ = unit
    assert "failed" in box.ask("systemctl", "start", "allerac-hand-over@sdz1.service")
    assert "hand-over" not in box.ask("systemctl", "list-units", "--failed", "--plain")


def test_box_at_home_has_nothing_to_hand_over(unit: tuple[OwnSystem, str], tmp_path: Path) -> None:
    box, _ = unit
    offered = "/run/allerac-burn-in/birth-certificate.json"
    box.ask("mv", offered, f"{offered}.away")
    try:
        with plugged_in(box, tmp_path) as (name, _):
            service = f"allerac-hand-over@{name}.service"
            box.ask("systemctl", "start", service)
            assert box.ask("ls", f"/run/media/allerac/{name}/{FOLDER}") == ""
    finally:
        box.ask("mv", f"{offered}.away", offered)


def test_unit_that_hands_over_has_one_drive_and_no_network(unit: tuple[OwnSystem, str]) -> None:
    box, _ = unit
    service = "allerac-hand-over@sdb1.service"
    devices = set(box.property(service, "DeviceAllow").splitlines())
    assert devices == {"/dev/sdb1 rw", "char-rtc r"}  # the second is ProtectClock's
    assert box.property(service, "DevicePolicy") == "closed"
    assert box.property(service, "PrivateNetwork") == "yes"
    assert box.property(service, "ReadWritePaths") == "/run/allerac-burn-in"
    rights = set(box.property(service, "CapabilityBoundingSet").split())
    assert rights == {"cap_dac_override", "cap_sys_admin"}


def test_every_drive_that_is_mounted_is_looked_at_and_no_other() -> None:
    lines = RULES.splitlines()
    wants = lines.index('ENV{SYSTEMD_WANTS}+="allerac-hand-over@%k.service"')
    (mount,) = [number for number, line in enumerate(lines) if "systemd-mount --" in line]
    leaves = [number for number, line in enumerate(lines) if "GOTO=" in line]
    assert max(leaves) < mount < wants
    assert f"--options={READERS} " in lines[mount]


def test_screen_tells_the_verdict_and_why_while_the_runtime_is_back(
    unit: tuple[OwnSystem, str],
) -> None:
    box, _ = unit
    deadline = time.monotonic() + PATIENCE_SECONDS
    wanted = (SERIAL, "failed: network", "may be pulled out")
    while not all(
        told in (shown := box.screen.read_text().rpartition(CLEAR)[2]) for told in wanted
    ):
        assert time.monotonic() < deadline, shown
        time.sleep(0.2)
    assert "running" not in box.ask("ls", "/run/allerac-burn-in").split(), "its unit removes it"
