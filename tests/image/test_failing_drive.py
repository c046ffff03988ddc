"""A second drive that begins to fail, and the rescue page's acts, on a booted box.

The drive is behind QEMU's own NVMe controller, whose SMART answers the box's own udev, systemd and
smartctl read; what it is and says: hw/nvme of QEMU. The tests are one story and run in order.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from tests.fixed_address import FILE, fixed_connection
from tests.image.booted_box import BootedBox, flashed_unit
from tests.image.conftest import BUILD_SECONDS, BuiltImage
from tests.image.offline_disk import (
    UNIT_FAILED,
    check_ext4,
    folder_of,
    journal,
    partition,
    put_file_in,
)
from tests.image.updating import STARTED, wait_until_proven
from tests.image.visited_box import API, START_SECONDS

pytestmark = [pytest.mark.matrix, pytest.mark.timeout(BUILD_SECONDS)]

DRIVE, MODEL = "nvme0n1", "QEMU NVMe Ctrl"
DRIVE_BYTES = 64 << 20
UNRELIABLE = 4
CELSIUS = 50.0
"""323 K of QEMU's controller, as smartctl converts them."""

ASKED_SECONDS = 1500.0
"""Drives are asked every ten minutes, and an emulated box is late."""

JOURNAL = "/overlay/var/upper/log/journal"
UNIT_STARTED = "39f53479d3a045ac8e11786248231fbf"
"""SD_MESSAGE_UNIT_STARTED of systemd's message catalogue (sd-messages.h)."""

FIXED = "169.254.88.8"
GAUGE = re.compile(rf'^allerac_drive_(\w+){{drive="{DRIVE}"}} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Home:
    """A claimed box, its owner's recovery code, and a key for Prometheus."""

    box: BootedBox
    recovery: str
    key: str

    def drive(self) -> dict[str, float]:
        """Return what the box tells of the second drive."""
        headers = {"Authorization": f"Bearer {self.key}"}
        text = str(self.box.request("GET", "/metrics", headers=headers).get("body", ""))
        return {name: float(value) for name, value in GAUGE.findall(text)}

    def failing(self) -> list[dict[str, Any]]:
        """Return the issues of drives that fail; none while nobody answers."""
        answer = self.box.request("GET", f"{API}/health")
        issues = answer["body"]["issues"] if answer["status"] == HTTPStatus.OK else []
        return [issue for issue in issues if issue["code"] == "disk_failing"]


def _until(reached: Callable[[], object], told: Callable[[], object]) -> None:
    deadline = time.monotonic() + ASKED_SECONDS
    while not reached():
        assert time.monotonic() < deadline, told()
        time.sleep(5)


@pytest.fixture(scope="module")
def home(
    vm_image: BuiltImage, may_emulate_networks: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Home]:
    """A box with a fixed address and a second drive, claimed, that has proven itself."""
    folder = tmp_path_factory.mktemp("unit")
    connection, second = folder / FILE, folder / "second.img"
    connection.write_text(fixed_connection(f"{FIXED}/16", ipv6="link-local"))
    connection.chmod(0o600)
    with second.open("wb") as drive:
        drive.truncate(DRIVE_BYTES)
    with flashed_unit(vm_image.file(".img"), folder) as box:
        put_file_in(box.disk, "data", "network", connection)
        box.switch_on(nvme=second)
        box.find()
        recovery = box.claim(box.claim_code())
        box.call("PATCH", "/updates/settings", {"automatic": False})
        key = box.call("POST", "/api-keys", {"name": "Prometheus"})["key"]
        wait_until_proven(box)
        yield Home(box, recovery, key)


def test_the_second_drive_is_asked_and_well_until_it_is_not(home: Home) -> None:
    _until(lambda: "temperature_celsius" in home.drive(), lambda: home.box.emulator.serial[-4000:])
    told = home.drive()
    assert (told["failing"], told["worn_ratio"], told["temperature_celsius"]) == (0, 0, CELSIUS)
    assert 0 <= told["spare_ratio"] <= 1
    assert home.box.call("GET", "/health")["at"] is not None
    assert home.failing() == []
    home.box.emulator.warn(UNRELIABLE)  # asked again in ten minutes, while the story goes on


def test_the_rescue_page_forgets_a_fixed_address(home: Home) -> None:
    assert home.box.address == FIXED
    home.box.rescue(home.recovery, "reset-network")

    def has_another() -> bool:
        home.box.find()
        return home.box.address != FIXED

    _until(has_another, lambda: home.box.emulator.serial[-4000:])
    home.box.sign_in()


def test_the_rescue_page_starts_allerac_anew(home: Home) -> None:
    home.box.rescue(home.recovery, "restart")
    page = "/rescue/acts/restart"
    _until(lambda: "Done." in str(home.box.request("GET", page).get("body")), home.drive)
    home.box.wait_ready()


def test_a_drive_that_says_that_it_fails_is_told(home: Home) -> None:
    _until(home.failing, home.drive)
    (issue,) = home.failing()
    assert (issue["subject"], issue["severity"]) == (DRIVE, "critical")
    assert issue["evidence"]["model"] == MODEL
    assert MODEL in issue["words"]["de"]["meaning"]
    assert home.drive()["failing"] == 1


def test_the_rescue_page_starts_the_box_anew_and_nothing_has_failed(
    home: Home, tmp_path: Path
) -> None:
    emulator = home.box.emulator
    home.box.rescue(home.recovery, "restart-box")
    end = emulator.wait_for_serial("reboot: Restarting system", START_SECONDS).end()
    emulator.wait_for_serial(STARTED, START_SECONDS, after=end)
    emulator.kill()
    data = partition(home.box.disk, "data", tmp_path / "data.img")
    assert check_ext4(data).returncode == 0
    assert list(folder_of(data, "/network", tmp_path / "settings").iterdir()) == []
    entries = journal(folder_of(data, JOURNAL, tmp_path / "log"))
    assert [entry for entry in entries if entry.get("MESSAGE_ID") == UNIT_FAILED] == []
    begun = Counter(e.get("UNIT") for e in entries if e.get("MESSAGE_ID") == UNIT_STARTED)
    assert (begun["NetworkManager.service"], begun["allerac.service"]) == (2, 2)
