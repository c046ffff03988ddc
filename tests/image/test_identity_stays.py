"""Who a unit is outlives its system and its household: an update, a way back, a reset to new."""

from pathlib import Path

import pytest

from allerac_factory.label import Label
from allerac_image.emulator import Emulator
from tests.factory.unit_drive import partition_of
from tests.factory.workshop import Workshop
from tests.image.booted_box import BootedBox
from tests.image.conftest import BuiltImage
from tests.image.emulated_lan import emulated_lan
from tests.image.first_start import DRIVE_BYTES, identity_files, label_of, signed_image
from tests.image.prepared_unit import take
from tests.image.successor import Predecessor, with_more_in_one_file
from tests.image.update_shelf import UpdateShelf, served
from tests.image.updating import installed_version, wait_for_verdict, wait_until_proven
from tests.image.visited_box import START_SECONDS

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("may_emulate_networks")]

SERIAL = "ALR-VM-000001"
NEXT = "0.1.1"
RESTARTS = "reboot: Restarting system"


@pytest.fixture
def shelf(vm_image: BuiltImage, tmp_path: Path) -> UpdateShelf:
    """The next version of the image, on offer."""
    folder = tmp_path / "next"
    folder.mkdir()
    before = Predecessor.of(vm_image, folder / "before")
    shelf = UpdateShelf(folder)
    shelf.publish(before.successor(NEXT, folder / "after", with_more_in_one_file))
    return shelf


@pytest.fixture
def station(vm_image: BuiltImage, tmp_path: Path) -> Workshop:
    """A station that has written one drive, whose unit needs no burn-in."""
    workshop = Workshop(tmp_path / "station", signed_image(vm_image))
    workshop.drive("WD1", DRIVE_BYTES)
    assert workshop.flash(burn_in=False) == 0
    return workshop


@pytest.mark.timeout(3 * 3600)
def test_identity_is_the_same_behind_an_update_a_way_back_and_a_reset(
    station: Workshop, shelf: UpdateShelf, tmp_path: Path
) -> None:
    drive = station.drives / "WD1.img"
    code = Label.code_in(label_of(station, SERIAL))
    made = identity_files(partition_of(drive, tmp_path / "made"))
    assert {"serial", "device-id", "device.key", "claim-code.hash", "rescue/codes"} <= set(made)
    with emulated_lan() as lan, served(shelf, lan), Emulator(tmp_path / "machine") as emulator:
        box = BootedBox(drive, emulator, lan)
        box.switch_on()
        box.find()
        box.claim(code)
        box.wait_ready()
        box.call("PATCH", "/updates/settings", {"automatic": False})
        wait_until_proven(box)
        first = installed_version(box)
        take(box)
        box.call("POST", "/updates/restart")
        verdict = wait_for_verdict(box)
        assert (verdict["version"], verdict["result"]) == (NEXT, "good")
        box.switch_off()
        assert identity_files(partition_of(drive, tmp_path / "updated")) == made

        box.switch_on()
        box.find()
        box.wait_ready()
        box.rescue(code, "previous-system")
        end = emulator.wait_for_serial(RESTARTS, START_SECONDS).end()
        box.find()
        box.wait_ready()
        box.sign_in()
        assert installed_version(box) == first

        box.rescue(code, "factory-reset", word="FORGET")
        emulator.wait_for_serial(RESTARTS, START_SECONDS, after=end)
        box.find()
        box.wait_ready()
        assert box.call("GET", "/status")["claimed"] is False
        box.claim(code)
        assert box.call("GET", "/box")["serial"] == SERIAL
        box.switch_off()
        assert identity_files(partition_of(drive, tmp_path / "reset")) == made
