"""An update from a drive: the whole box under the target's own systemd, its RAUC writing slots.

A kernel under test need not have dm-verity, so the bundles are of RAUC's plain format; the box is
told to take it. That a version from a drive also starts is for the emulated box to show.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from allerac.updates.reasons import REASONS
from tests.provisioning.bundles import Workshop, new_leaf
from tests.provisioning.own_system import OwnSystem, running_system
from tests.provisioning.test_services import OURS
from tests.provisioning.visited_system import VisitedSystem

SLOT_BYTES = 8 << 20
STICK_BYTES = 64 << 20
LOOP_DEVICES = 64
IMAGE_BYTES = 5 << 20
NEXT = "9.0.0"
AT = "/run/media/allerac"
READERS = "ro,nosuid,nodev,noexec"
"""As the rule for drives mounts them."""

PATIENCE_SECONDS = 120.0
RAUC_SAID = ("journalctl", "-b", "-u", "rauc", "-n", "40", "--no-pager")
UNPACK = """\
#!/bin/sh -e
mkdir -p "$2" /tmp/bundle
mount -t squashfs -o ro,loop "$3" /tmp/bundle
cp "/tmp/bundle/$4" "$2/"
umount /tmp/bundle
"""
"""`unsquashfs -dest FOLDER BUNDLE FILE`: RAUC looks so into bundles of that format, no other."""

SETTINGS = "s/^bundle-formats=.*/bundle-formats=plain/"


@dataclass(slots=True)
class Household(VisitedSystem):
    """Who lives with the box, and the box."""

    def updates(self) -> dict[str, Any]:
        """Return what the page of updates shows."""
        shown: dict[str, Any] = self.call("GET", "/updates")
        return shown

    def install(self, name: str) -> dict[str, Any]:
        """Begin to install a file of a drive; return the answer, whatever it is."""
        return self.request("POST", "/api/v1/updates/usb", json={"name": name})

    def until(self, ended: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the page of updates shows that it ended; return what it shows."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ended(seen := self.updates()):
            assert time.monotonic() < deadline, (seen, self.system.ask(*RAUC_SAID))
            time.sleep(0.2)
        return seen


def _is_installed(version: str) -> Callable[[dict[str, Any]], bool]:
    def ended(seen: dict[str, Any]) -> bool:
        installed: bool = seen["state"] == "installed"
        return installed and seen["available"]["version"] == version

    return ended


def _has_reason(seen: dict[str, Any]) -> bool:
    return seen["reason"] is not None and seen["state"] != "downloading"


def _do(*words: str | Path) -> str:
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


def _make_loop_devices(box: OwnSystem) -> None:
    """Let the box have all there may be: whoever takes one is given the first that is free.

    The machine's other users take and leave them meanwhile, so it may be any.
    """
    box.ask("mknod", "/dev/loop-control", "c", "10", "237")
    for number in range(LOOP_DEVICES):
        box.ask("mknod", f"/dev/loop{number}", "b", "7", str(number))


@contextmanager
def _device(image: Path) -> Iterator[str]:
    """Make a file a block device, which the box has too; yield its name."""
    device = _do("losetup", "--find", "--show", image)
    try:
        yield Path(device).name
    finally:
        _do("losetup", "--detach", device)


@contextmanager
def _stick(box: OwnSystem, folder: Path, *files: Path) -> Iterator[str]:
    """Plug in a drive with `files`; yield the name by which the page lists it."""
    (folder / "content").mkdir(parents=True)
    for file in files:
        (folder / "content" / file.name).write_bytes(file.read_bytes())
    image = folder / "stick.img"
    with image.open("wb") as empty:
        empty.truncate(STICK_BYTES)
    _do("mkfs.ext4", "-q", "-d", folder / "content", image)
    with _device(image) as name:
        box.ask("mkdir", "-p", f"{AT}/{name}")
        said = box.ask("mount", "-o", READERS, f"/dev/{name}", f"{AT}/{name}")
        assert said == ""
        yield name
        box.ask("umount", "-l", f"{AT}/{name}")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Who signs for this box."""
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture(scope="module")
def slots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the files of the boot slots."""
    folder = tmp_path_factory.mktemp("slots")
    for name in ("root-A", "root-B", "boot-A", "boot-B"):
        with (folder / name).open("wb") as slot:
            slot.truncate(SLOT_BYTES)
    return folder


@pytest.fixture(scope="module")
def home(
    root: Path, workshop: Workshop, slots: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Household]:
    """A claimed box that has proven itself and trusts the workshop."""
    with running_system(root, tmp_path_factory.mktemp("system")) as box, ExitStack() as devices:
        _make_loop_devices(box)
        box.ask("mkdir", "-p", "/dev/disk/by-partlabel")
        for slot in sorted(slots.iterdir()):
            name = devices.enter_context(_device(slot))
            box.ask("ln", "-s", f"/dev/{name}", f"/dev/disk/by-partlabel/{slot.name}")
        box.ask("sed", "-i", SETTINGS, "/etc/rauc/system.conf")
        box.ask("sh", "-c", 'echo "$0" > /etc/rauc/keyring.pem', workshop.ours.file.read_text())
        box.ask("sh", "-c", 'echo "$0" > /usr/bin/unsquashfs', UNPACK)
        box.ask("chmod", "755", "/usr/bin/unsquashfs")
        box.wait_for(("systemctl", "is-active", *OURS), "\n".join(["active"] * len(OURS)))
        box.wait_for(("systemctl", "is-active", "allerac-prove.service"), "active")
        box.ask("systemctl", "restart", "rauc.service")
        house = Household.of(box)
        devices.callback(house.visit.end)
        house.claim(house.claim_code())
        house.call("PATCH", "/updates/settings", {"automatic": False})
        yield house


@pytest.fixture(scope="module")
def good(workshop: Workshop) -> Path:
    """The next version."""
    return workshop.bundle(
        "good", workshop.good, version=NEXT, bundle_format="plain", size=IMAGE_BYTES
    )


def test_what_is_no_update_for_this_box_is_refused_with_its_reason(
    home: Household, workshop: Workshop, slots: Path, tmp_path: Path
) -> None:
    forged = new_leaf(workshop.theirs, "drive-impostor")
    made = {
        "other_tier": workshop.bundle(
            "tier", workshop.good, tier="n100", version=NEXT, bundle_format="plain"
        ),
        "not_newer": workshop.bundle(
            "older", workshop.good, version="0.0.1", bundle_format="plain"
        ),
        "bundle_untrusted": workshop.bundle("forged", forged, version=NEXT, bundle_format="plain"),
    }
    cut = workshop.folder / "cut.raucb"
    cut.write_bytes(made["not_newer"].read_bytes()[:9000])
    cases = {**made, "bundle_unreadable": cut}
    with _stick(home.system, tmp_path, *cases.values()) as stick:
        listed = {item["name"] for item in home.call("GET", "/updates/usb")["items"]}
        assert listed == {f"{stick}/{file.name}" for file in cases.values()}
        for reason, file in cases.items():
            refused = home.install(f"{stick}/{file.name}")
            assert refused["status"] >= 400, refused
            said = refused["body"]["error"]["message"]
            assert said == REASONS[reason].message, home.system.ask(*RAUC_SAID)
        assert home.install(f"{stick}/not-there.raucb")["status"] == 404
        assert home.install("../../../etc/passwd")["status"] == 404
    assert not any((slots / "root-B").read_bytes())
    assert home.call("GET", "/updates/usb")["items"] == []


def test_a_drive_that_was_pulled_out_is_asked_for_again(
    home: Household, good: Path, tmp_path: Path
) -> None:
    with _stick(home.system, tmp_path, good) as stick:
        assert len(home.call("GET", "/updates/usb")["items"]) == 1
    missing = home.install(f"{stick}/{good.name}")
    assert missing["status"] == 404
    assert missing["body"]["error"]["hint"] == "Plug the drive in again."
    assert home.updates()["state"] == "idle"


def test_a_full_disk_is_told_and_the_update_is_taken_once_there_is_room(
    home: Household, good: Path, slots: Path, tmp_path: Path
) -> None:
    home.system.ask("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/data/rauc")
    home.system.ask("systemctl", "restart", "rauc.service")
    home.system.ask("sh", "-c", "cat /dev/zero > /data/rauc/ballast")
    with _stick(home.system, tmp_path, good) as stick:
        assert home.install(f"{stick}/{good.name}")["status"] == 202
        seen = home.until(_has_reason)
        assert (seen["state"], seen["reason"]["name"]) == ("available", "disk_full"), seen
        assert "not enough room" in seen["reason"]["message"]
        assert not any((slots / "root-B").read_bytes())
    home.system.ask("umount", "-l", "/data/rauc")
    home.system.ask("systemctl", "restart", "rauc.service")


def test_a_signed_update_on_a_drive_is_installed_while_the_box_is_in_use(
    home: Household, workshop: Workshop, good: Path, slots: Path, tmp_path: Path
) -> None:
    with _stick(home.system, tmp_path, good) as stick:
        begun = home.install(f"{stick}/{good.name}")
        assert begun["status"] == 202, (begun, home.system.ask(*RAUC_SAID))
        assert home.until(_is_installed(NEXT))["reason"] is None
    image = workshop.image_of(good)
    assert (slots / "root-B").read_bytes()[: len(image)] == image
    assert not any((slots / "root-A").read_bytes())
    [newest, *_] = home.call("GET", "/updates/history")["items"]
    assert (newest["version"], newest["origin"]) == (NEXT, "drive")


def test_the_next_start_is_of_the_version_from_the_drive(home: Household) -> None:
    box = home.system
    box.ask("systemctl", "mask", "--runtime", "--now", "allerac-restart.service")
    home.call("POST", "/updates/restart")
    deadline = time.monotonic() + PATIENCE_SECONDS
    block = ""
    while "ORDER=B A" not in block:
        assert time.monotonic() < deadline, block
        time.sleep(0.2)
        block = box.ask("grub-editenv", "/efi/EFI/BOOT/grubenv", "list")
    assert "B_OK=1" in block
    assert "B_TRY=0" in block
