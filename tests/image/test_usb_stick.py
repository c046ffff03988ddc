"""A FAT drive of a station in a unit's USB port: the kernel, udev and systemd of an image that is
sold do what the tests of the hand-over do by hand. The tier `vm` has no USB.

The emulated machine is none of the tier, so that it fails its burn-in; it signs that all the same.
It has the ten minutes of a machine that is sold to prove itself: nothing else may run beside it.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from allerac_image.emulator import Emulator, Tap
from allerac_image.plan import PROFILES
from allerac_image.tier import load_tier
from tests.factory.unit_drive import partition_of
from tests.factory.unit_start import DESK
from tests.factory.workshop import Workshop
from tests.image.conftest import BUILD_SECONDS, BuiltImage, build_image
from tests.image.emulated_lan import TAP, emulated_lan
from tests.image.first_start import BURN_IN_SECONDS, signed_image

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("may_emulate_networks")]

TIER = "n100"
SERIAL = "ALR-N100-000001"
DRIVE_BYTES = 64 << 30
"""Sparse; what a unit of the tier is built with."""

MEMORY_MB = 3072
STICK_BYTES = 64 << 20
FOLDER = "allerac-certificates"
NAME = f"{SERIAL}-birth-certificate.json"
HANDED_OVER_SECONDS = 300.0
LONGEST_SECONDS = BUILD_SECONDS + 2 * 3600


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> BuiltImage:
    """The tier's image, built now or in the folder that `ALLERAC_TEST_IMAGE_N100` names."""
    given = os.environ.get("ALLERAC_TEST_IMAGE_N100")
    return BuiltImage(Path(given)) if given else build_image(tmp_path_factory.mktemp(TIER), TIER)


@pytest.fixture
def station(image: BuiltImage, tmp_path: Path) -> Workshop:
    """A station that has written one drive."""
    workshop = Workshop(tmp_path / "station", signed_image(image))
    workshop.drive("WD1", DRIVE_BYTES)
    serials = {"form": "ALR-N100-{number:06}", "first": 1}
    assert workshop.flash(tier=TIER, serials=serials) == 0
    return workshop


def _do(*words: str | Path) -> str:
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


def stick(path: Path, *, asks: bool) -> Path:
    """Make a drive as shops sell them: one FAT file system that fills it."""
    with path.open("wb") as file:
        file.truncate(STICK_BYTES)
    _do("/usr/sbin/mkfs.vfat", "-F", "32", "-n", "STATION", path)
    if asks:
        _do("/usr/bin/mmd", "-i", path, f"::{FOLDER}")
    return path


def certificate_on(drive: Path) -> bytes:
    """Return the certificate on a FAT drive, nothing before it is there."""
    command = ["/usr/bin/mtype", "-i", str(drive), f"::{FOLDER}/{NAME}"]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).stdout


def wait_for(found: Callable[[], bytes], emulator: Emulator, seconds: float) -> bytes:
    """Wait until there is a whole certificate."""
    deadline = time.monotonic() + seconds
    while not (content := found()).endswith(b"}\n"):
        assert emulator.running, emulator.serial[-4000:]
        assert time.monotonic() < deadline, emulator.serial[-4000:]
        time.sleep(2)
    return content


@pytest.mark.timeout(LONGEST_SECONDS)
def test_drives_get_the_certificate_whether_they_were_there_or_come_later(
    station: Workshop, tmp_path: Path
) -> None:
    assert load_tier(TIER, PROFILES).image["kernel"] == "linux-image-amd64"
    early, late, other = (
        stick(tmp_path / f"{name}.img", asks=name != "other") for name in ("early", "late", "other")
    )
    before = other.read_bytes()
    disk = station.drives / "WD1.img"
    with emulated_lan() as lan, Emulator(tmp_path / "machine") as emulator:
        emulator.start(disk, network=Tap(TAP), prefix=lan.prefix, memory_mb=MEMORY_MB, usb=True)
        emulator.plug_in(early, "early")
        wait_for(lambda: certificate_on(early), emulator, BURN_IN_SECONDS)
        emulator.plug_in(other, "other")
        emulator.plug_in(late, "late")
        handed = wait_for(lambda: certificate_on(late), emulator, HANDED_OVER_SECONDS)
        emulator.power_button()
        emulator.wait_ended(HANDED_OVER_SECONDS)
    kept = partition_of(disk, tmp_path / "kept") / "birth-certificate.json"
    assert certificate_on(early) == handed == kept.read_bytes()
    assert other.read_bytes() == before
    for drive in (early, late):
        _do("/usr/sbin/fsck.vfat", "-n", drive)
        listed = _do("/usr/bin/mdir", "-b", "-a", "-i", drive, "::").split()
        assert listed == [f"::/{FOLDER}/"]
    failed = [
        one["name"] for one in json.loads(handed)["certificate"]["checks"] if not one["passed"]
    ]
    assert "tier" in failed
    folder = tmp_path / "mounted" / FOLDER
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(handed)
    assert station.do("collect", str(folder.parent), *DESK) == 0
    assert station.units()[SERIAL].facts["failures"] == failed
