"""The factory's twin with the real image: its units start in the emulator, from drive to claim."""

import io
from pathlib import Path
from typing import Any

import pytest

from allerac_factory.history import UnitHistory
from allerac_factory.label import Label
from allerac_image.emulator import Emulator, Tap
from tests.factory.twin import GOOD, OTHER_TIER, WITH_TPM, Twin, report
from tests.image.booted_box import MEMORY_MB, OFF_SECONDS, BootedBox
from tests.image.conftest import BuiltImage
from tests.image.emulated_lan import TAP, emulated_lan
from tests.image.first_start import (
    BURN_IN_SECONDS,
    DRIVE_BYTES,
    collect,
    signed_image,
    verdict_on,
)
from tests.software_tpm import emulated_tpm

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("may_emulate_networks")]

TOO_LITTLE_MB = 880
"""The kernel keeps some of it: what is left is below what the tier has, and enough to run."""

HOURS = 3600


class BootedTwin(Twin):
    """The batch whose units are machines of their own, collected over their network."""

    def start(self, unit: UnitHistory) -> None:
        """Switch a machine with the unit's drive on, and off when its certificate was taken."""
        drive = self.workshop.drives / f"{unit.drive}.img"
        place = self.folder / f"machine-{unit.drive}"
        power: dict[str, Any] = {"memory_mb": MEMORY_MB}
        if unit.drive == OTHER_TIER:
            power = {"memory_mb": TOO_LITTLE_MB}
        with (
            emulated_tpm(place / "tpm") as tpm,
            emulated_lan() as lan,
            Emulator(place) as emulator,
        ):
            if unit.drive == WITH_TPM:
                power["tpm"] = tpm
            emulator.start(drive, network=Tap(TAP), prefix=lan.prefix, **power)
            emulator.wait_for_serial(verdict_on(unit.serial), BURN_IN_SECONDS)
            assert unit.serial in collect(self.workshop, lan)
            emulator.power_button()
            emulator.wait_ended(OFF_SECONDS)

    async def claim(self, serial: str, text: str) -> bool:
        """Be the customer, at home with the box."""
        unit = self.workshop.units()[serial]
        drive = self.workshop.drives / f"{unit.drive}.img"
        with emulated_lan() as lan, Emulator(self.folder / f"machine-{unit.drive}") as emulator:
            box = BootedBox(drive, emulator, lan)
            box.switch_on()
            box.find()
            box.wait_ready()
            box.claim(Label.code_in(text))
            told = box.call("GET", "/box")
            box.switch_off()
        return bool(told["serial"] == serial)


@pytest.mark.timeout(4 * HOURS)
def test_batch_of_eight_becomes_what_it_must_when_its_units_are_started(
    vm_image: BuiltImage, tmp_path: Path
) -> None:
    twin = BootedTwin(tmp_path / "twin", signed_image(vm_image), DRIVE_BYTES)
    told = io.StringIO()
    assert report(twin, told) == 0, told.getvalue()
    units = {unit.drive: unit for unit in twin.workshop.units().values()}
    assert [units[name].facts["key_place"] for name in GOOD] == ["tpm", "partition"]
    assert {name: twin.last_write_to(name) for name in twin.prepared_at} == twin.prepared_at
