"""A unit that made its key in its TPM: the station believes it, and its label has that key."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from allerac.appliance.tpm import Tpm
from allerac.burn_in import sign
from allerac.burn_in.device_key import TpmKey, settle, statement, unit_key
from allerac_factory.identity import fingerprint_of
from allerac_factory.label import FINGERPRINT_SIGNS
from tests.software_tpm import software_tpm

from .label_scanner import scanned
from .unit_drive import leave_claimed, leave_key, partition_of
from .unit_start import DESK, Document, body_of, hand_over
from .workshop import Workshop

pytestmark = pytest.mark.slow

SERIAL = "ALR-VM-000001"
OTHER = "ALR-VM-000002"


@pytest.fixture(scope="module")
def tpm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tpm]:
    """The TPM of the unit's machine."""
    with software_tpm(tmp_path_factory.mktemp("tpm")) as place:
        yield Tpm(place)


@dataclass(frozen=True, slots=True)
class Started:
    """A unit after its first start: its drive, what is on its partition, and its key."""

    drive: Path
    identity: Path
    key: TpmKey
    body: Document

    @property
    def certificate(self) -> Document:
        """What it signs."""
        return sign(self.body, self.key)


def start(workshop: Workshop, name: str, serial: str, tpm: Tpm, attempt: int = 1) -> Started:
    """Start the unit on the drive `name`: it makes its key, or finds it."""
    drive = workshop.drives / f"{name}.img"
    identity = partition_of(drive, workshop.folder / f"{name}-{attempt}")
    body = body_of(workshop, serial, attempt=attempt)
    key = unit_key(identity, body, tpm)
    assert isinstance(key, TpmKey)
    return Started(drive, identity, key, body)


def passed(workshop: Workshop, tpm: Tpm) -> Started:
    """Make one unit that has passed, and collect its certificate."""
    workshop.drive("WD1")
    assert workshop.flash() == 0
    unit = start(workshop, "WD1", SERIAL, tpm)
    settle(unit.identity, unit.key)
    leave_key(unit.drive, unit.identity)
    assert workshop.do("collect", str(hand_over(workshop, unit.certificate)), *DESK) == 0
    return unit


def labelled(workshop: Workshop) -> str:
    """Print the unit's label and return what is scanned from it."""
    assert workshop.do("label", *DESK) == 0
    return scanned((workshop.records / "labels" / f"{SERIAL}.pdf").read_bytes())


def test_label_and_ledger_have_the_key_that_is_in_the_tpm(workshop: Workshop, tpm: Tpm) -> None:
    unit = passed(workshop, tpm)
    wanted = fingerprint_of(unit.key.public.encode())
    given = fingerprint_of(
        (workshop.records / "pending" / SERIAL / "identity" / "device.pub").read_bytes()
    )
    assert wanted != given
    facts = workshop.units()[SERIAL].facts
    assert (facts["key_place"], facts["key_fingerprint"]) == ("tpm", wanted)
    text = labelled(workshop)
    assert text.endswith(f"&key={wanted[:FINGERPRINT_SIGNS]}")
    assert workshop.do("find", text) == 0
    assert workshop.do("scan", text, *DESK) == 0
    assert workshop.do("verify") == 0
    assert workshop.do("verify", "--head", workshop.acts()[-1].hash) == 0


def test_unit_that_comes_back_keeps_the_key_in_its_tpm_and_its_label(
    workshop: Workshop, tpm: Tpm
) -> None:
    unit = passed(workshop, tpm)
    text = labelled(workshop)
    assert workshop.do("scan", text, *DESK) == 0
    leave_claimed(unit.drive, workshop.folder, owner=True)
    assert workshop.do("return", str(unit.drive), *DESK) == 0
    assert workshop.flash("--give-up", SERIAL[-4:], batch="rework") == 0
    again = start(workshop, "WD1", SERIAL, tpm, attempt=2)
    assert not (again.identity / "device.key").exists()
    assert again.key.public == unit.key.public
    assert workshop.do("collect", str(hand_over(workshop, again.certificate)), *DESK) == 0
    assert workshop.do("scan", text, *DESK) == 0
    assert workshop.do("verify") == 0


def test_key_that_the_unit_was_not_given_does_not_vouch(
    workshop: Workshop, tpm: Tpm, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("WD1", "WD2"):
        workshop.drive(name)
    assert workshop.flash() == 0
    unit, other = (
        start(workshop, name, serial, tpm) for name, serial in (("WD1", SERIAL), ("WD2", OTHER))
    )
    stranger = sign(unit.body, other.key)
    assert workshop.do("collect", str(hand_over(workshop, stranger)), *DESK) == 1
    assert f"not signed by {SERIAL}" in capsys.readouterr().err
    assert workshop.do("collect", str(hand_over(workshop, unit.certificate)), *DESK) == 0


@pytest.mark.parametrize("fact", ["public", "voucher", "place"])
def test_certificate_whose_key_was_changed_is_refused(
    workshop: Workshop, tpm: Tpm, fact: str
) -> None:
    workshop.drive("WD1")
    assert workshop.flash() == 0
    unit = start(workshop, "WD1", SERIAL, tpm)
    own = (workshop.records / "pending" / SERIAL / "identity" / "device.pub").read_text()
    itself = base64.b64encode(unit.key.sign(statement(unit.key.public, unit.body))).decode()
    changes = {"public": own, "voucher": itself, "place": "partition"}
    altered = sign(unit.body, replace(unit.key, **{fact: changes[fact]}))  # type: ignore[arg-type]  # one fact
    assert workshop.do("collect", str(hand_over(workshop, altered)), *DESK) == 1
    assert "burned-in" not in workshop.units()[SERIAL].acts


def test_voucher_of_an_earlier_writing_is_refused(workshop: Workshop, tpm: Tpm) -> None:
    workshop.drive("WD1")
    assert workshop.flash() == 0
    unit = start(workshop, "WD1", SERIAL, tpm)
    before = {**unit.body, "flash_id": "0198c0de-0000-7000-8000-000000000000"}
    assert workshop.do("collect", str(hand_over(workshop, sign(before, unit.key))), *DESK) == 1
    assert workshop.do("collect", str(hand_over(workshop, unit.certificate)), *DESK) == 0


def test_show_says_whether_the_units_tpm_signed(
    workshop: Workshop, tpm: Tpm, capsys: pytest.CaptureFixture[str]
) -> None:
    unit = passed(workshop, tpm)
    capsys.readouterr()
    path = hand_over(workshop, unit.certificate)
    assert workshop.do("show", str(path)) == 0
    assert "signed by the unit" in capsys.readouterr().out
    other = {**unit.certificate, "signature": base64.b64encode(b"x" * 70).decode()}
    assert workshop.do("show", str(hand_over(workshop, other))) == 0
    assert "NOT signed by the unit" in capsys.readouterr().out
