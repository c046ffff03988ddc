"""Units of the real image: written by a station, started in the emulator, sold or kept back."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from allerac_factory.label import Label
from allerac_image.emulator import Emulator
from bootstrap.steps import cache_folder
from tests.factory.label_scanner import scanned
from tests.factory.small_image import SmallImage
from tests.factory.unit_drive import partition_of
from tests.factory.unit_start import DESK
from tests.factory.workshop import Workshop
from tests.image.booted_box import MEMORY_MB, BootedBox
from tests.image.conftest import BuiltImage
from tests.image.emulated_lan import EmulatedLan, emulated_lan

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("may_emulate_networks")]

SERIAL = "ALR-VM-000001"
DRIVE_BYTES = 8 << 30
"""Sparse: the system, a GiB for the drive's test and as much again."""

BURN_IN_SECONDS = 2400.0
"""A minute of answers, most of the memory and a GiB of the drive, all of it emulated."""

OFFER_SECONDS = 240.0
VERDICT = re.compile(rf"{SERIAL} has (passed|failed) its burn-in")


@pytest.fixture
def station(vm_image: BuiltImage, tmp_path: Path) -> Workshop:
    """A station that has written one drive with the image."""
    trust = cache_folder() / "keys" / "ca.crt"
    image = SmallImage(vm_image.folder, trust, trust, trust, vm_image.file(".img"))
    workshop = Workshop(tmp_path / "station", image)
    workshop.drive("WD1", DRIVE_BYTES)
    assert workshop.flash() == 0
    return workshop


@pytest.fixture
def unit(station: Workshop, tmp_path: Path) -> Iterator[BootedBox]:
    """The unit with that drive, still without power."""
    with emulated_lan() as lan, Emulator(tmp_path / "machine") as emulator:
        yield BootedBox(station.drives / "WD1.img", emulator, lan)


def collect(station: Workshop, lan: EmulatedLan) -> str:
    """Collect from the network, as a person types it, until a unit was found."""
    words = [*lan.prefix, sys.executable, "-m", "allerac_factory", "collect", "--network", *DESK]
    end = time.monotonic() + OFFER_SECONDS
    while True:
        command = [*words, "--records", str(station.records)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        if told.returncode == 0 and "No unit was found" not in told.stdout:
            return told.stdout
        assert time.monotonic() < end, told.stdout + told.stderr
        time.sleep(5)


def label_of(station: Workshop) -> str:
    """Print the unit's label and return what is scanned from it."""
    assert station.do("label", *DESK) == 0
    return scanned((station.records / "labels" / f"{SERIAL}.pdf").read_bytes())


def test_unit_that_passes_is_claimed_by_what_is_on_its_label(
    station: Workshop, unit: BootedBox, tmp_path: Path
) -> None:
    unit.switch_on()
    assert unit.emulator.wait_for_serial(VERDICT, BURN_IN_SECONDS)[1] == "passed", (
        unit.emulator.serial[-4000:]
    )
    assert collect(station, unit.lan) == f"{SERIAL}: passed\n"
    label = label_of(station)
    assert station.do("scan", label, *DESK) == 0
    unit.switch_off()
    assert not (partition_of(unit.disk, tmp_path / "sold") / "factory-mode").exists()
    unit.switch_on()
    unit.find()
    unit.wait_ready()
    unit.claim(Label.code_in(label))
    assert unit.call("GET", "/box")["serial"] == SERIAL
    assert not VERDICT.search(unit.emulator.serial)
    assert station.do("verify") == 0


def test_unit_without_a_network_card_fails_and_gets_no_label(
    station: Workshop, unit: BootedBox, tmp_path: Path
) -> None:
    unit.emulator.start(unit.disk, prefix=unit.lan.prefix, memory_mb=MEMORY_MB)
    assert unit.emulator.wait_for_serial(VERDICT, BURN_IN_SECONDS)[1] == "failed"
    failed = re.findall(r"✗ (\w[\w -]*?) {2,}", unit.emulator.serial)
    assert failed == ["network"], unit.emulator.serial[-4000:]
    unit.switch_off()
    kept = partition_of(unit.disk, tmp_path / "kept")
    assert (kept / "factory-mode").exists()
    assert station.do("collect", str(kept / "birth-certificate.json"), *DESK) == 0
    assert station.do("label", *DESK) == 0
    assert not list(station.records.glob("labels/*.pdf"))
    assert station.units()[SERIAL].facts["failures"] == ["network"]
