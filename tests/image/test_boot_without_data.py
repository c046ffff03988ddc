"""A data partition that is lost: only a booted box shows that its start goes on without it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.booted_box import CLAIM_CODE, BootedBox, flashed_unit
from tests.image.conftest import BUILD_SECONDS, BuiltImage
from tests.image.offline_disk import erase
from tests.image.visited_box import START_SECONDS

pytestmark = [pytest.mark.matrix, pytest.mark.timeout(BUILD_SECONDS)]


@pytest.fixture
def unit(vm_image: BuiltImage, may_emulate_networks: None, tmp_path: Path) -> Iterator[BootedBox]:
    """A unit fresh from the factory, without power."""
    with flashed_unit(vm_image.file(".img"), tmp_path) as box:
        yield box


def _wait_for_page(box: BootedBox, told: str) -> None:
    """Wait until a box that announces no service answers at the address that it took."""
    deadline = time.monotonic() + START_SECONDS
    body = ""
    while told not in body:
        assert box.emulator.running, box.emulator.serial[-4000:]
        assert time.monotonic() < deadline, body or box.emulator.serial[-4000:]
        time.sleep(1)
        for address in box.lan.heard():
            box.address = address
            body = str(box.page("/", address).get("body"))


def test_a_box_that_lost_its_data_says_so_and_starts_as_new_once_all_is_forgotten(
    unit: BootedBox,
) -> None:
    unit.switch_on()
    unit.find()
    code = unit.claim_code()
    unit.switch_off()
    erase(unit.disk, "data")
    unit.lan.listen()
    unit.switch_on()
    _wait_for_page(unit, "The disk with your data cannot be opened")
    assert unit.request("POST", "/rescue/open", form={"code": code})["status"] == 303
    tools = unit.request("GET", "/rescue/")["body"]
    assert "Repair the disk" in tools
    unit.rescue(code, "factory-reset", word="FORGET")
    ended = unit.emulator.wait_for_serial("reboot: Restarting system", START_SECONDS)
    unit.emulator.wait_for_serial(CLAIM_CODE, START_SECONDS, after=ended.end())
    unit.find()
    unit.wait_ready()
    assert unit.call("GET", "/status")["claimed"] is False
