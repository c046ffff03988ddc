"""Units of the real image: written by a station, started in the emulator, sold or kept back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from allerac_factory.label import FINGERPRINT_SIGNS, Label
from allerac_image.emulator import Emulator, Tap
from tests.factory.unit_drive import partition_of
from tests.factory.unit_start import DESK
from tests.factory.workshop import Workshop
from tests.image.booted_box import MEMORY_MB, BootedBox
from tests.image.conftest import BuiltImage
from tests.image.emulated_lan import TAP, emulated_lan
from tests.image.first_start import (
    BURN_IN_SECONDS,
    DRIVE_BYTES,
    collect,
    label_of,
    signed_image,
    verdict_on,
)
from tests.software_tpm import emulated_tpm

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("may_emulate_networks")]

SERIAL = "ALR-VM-000001"
VERDICT = verdict_on(SERIAL)


@pytest.fixture
def station(vm_image: BuiltImage, tmp_path: Path) -> Workshop:
    """A station that has written one drive with the image."""
    workshop = Workshop(tmp_path / "station", signed_image(vm_image))
    workshop.drive("WD1", DRIVE_BYTES)
    assert workshop.flash() == 0
    return workshop


@pytest.fixture
def unit(station: Workshop, tmp_path: Path) -> Iterator[BootedBox]:
    """The unit with that drive, still without power."""
    with emulated_lan() as lan, Emulator(tmp_path / "machine") as emulator:
        yield BootedBox(station.drives / "WD1.img", emulator, lan)


def test_unit_that_passes_is_claimed_by_what_is_on_its_label(
    station: Workshop, unit: BootedBox, tmp_path: Path
) -> None:
    """Its machine has a TPM, so that its key is made there."""
    with emulated_tpm(tmp_path / "tpm") as tpm:
        unit.emulator.start(
            unit.disk, network=Tap(TAP), prefix=unit.lan.prefix, memory_mb=MEMORY_MB, tpm=tpm
        )
        assert unit.emulator.wait_for_serial(VERDICT, BURN_IN_SECONDS)[1] == "passed", (
            unit.emulator.serial[-4000:]
        )
        assert collect(station, unit.lan) == f"{SERIAL}: passed\n"
        unit.switch_off()
    facts = station.units()[SERIAL].facts
    assert facts["key_place"] == "tpm"
    label = label_of(station, SERIAL)
    assert label.endswith(f"&key={facts['key_fingerprint'][:FINGERPRINT_SIGNS]}")
    assert station.do("scan", label, *DESK) == 0
    sold = {path.name for path in partition_of(unit.disk, tmp_path / "sold").iterdir()}
    assert sold.isdisjoint({"factory-mode", "device.key"})
    assert "device.tpm" in sold
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
    facts = station.units()[SERIAL].facts
    assert (facts["failures"], facts["key_place"]) == (["network"], "partition")
