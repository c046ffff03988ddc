"""Only good units get a label, and only a unit whose label was scanned is released."""

import base64
import json
import shutil
from pathlib import Path

import pytest

from allerac_factory.contents import look_at
from allerac_factory.identity import Pending

from .label_scanner import scanned, text_of
from .unit_drive import leave_certificate, leave_claimed
from .unit_start import DESK, burn_in, certificate_of, hand_over, signed_by
from .workshop import Workshop

SERIAL = "ALR-VM-000001"


def made(workshop: Workshop) -> Path:
    """Make one good unit, up to its label."""
    workshop.drive("WD1")
    assert workshop.flash() == 0
    assert burn_in(workshop, SERIAL) == 0
    assert workshop.do("label", *DESK) == 0
    return workshop.records / "labels" / f"{SERIAL}.pdf"


def test_unit_is_released_by_the_scan_of_its_own_label(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    pdf = made(workshop)
    assert pdf.stat().st_mode & 0o777 == 0o600
    text = scanned(pdf.read_bytes())
    assert "7C:83:34:AA:BB:01" in text_of(pdf.read_bytes())
    assert workshop.do("scan", text, *DESK) == 0
    assert f"{SERIAL} is released." in capsys.readouterr().out
    assert workshop.units()[SERIAL].stage == "released"
    assert not (workshop.records / "pending" / SERIAL).exists()
    assert not pdf.exists()
    assert workshop.do("find", text) == 0
    assert workshop.do("scan", text, *DESK) == 1
    released = [act for act in workshop.acts() if act.act == "released"]
    assert [(act.operator, act.station) for act in released] == [("Ben", "desk-2")]


def test_scan_that_was_killed_before_it_forgot_forgets_when_it_is_repeated(
    workshop: Workshop, tmp_path: Path
) -> None:
    text = scanned(made(workshop).read_bytes())
    secret = [workshop.records / name for name in ("pending", "labels")]
    for folder in secret:
        shutil.copytree(folder, tmp_path / "before" / folder.name)
    assert workshop.do("scan", text, *DESK) == 0
    for folder in secret:  # as a station leaves them that is killed behind the ledger's last act
        shutil.copytree(tmp_path / "before" / folder.name, folder, dirs_exist_ok=True)
    assert workshop.do("scan", text, *DESK) == 1
    assert [path for folder in secret for path in folder.iterdir()] == []
    assert [act.act for act in workshop.acts()].count("released") == 1


def test_unit_that_came_back_does_not_lose_its_identity_to_a_scan(workshop: Workshop) -> None:
    text = scanned(made(workshop).read_bytes())
    assert workshop.do("scan", text, *DESK) == 0
    assert workshop.do("return", str(workshop.drives / "WD1.img"), *DESK) == 0
    assert workshop.do("scan", text, *DESK) == 1
    assert (workshop.records / "pending" / SERIAL / "identity" / "device.key").is_file()


@pytest.mark.parametrize(
    ("old", "new"), [("code=", "code=A"), (".local/", ".local"), ("allerac-", "allerac-x")]
)
def test_label_that_differs_does_not_release(workshop: Workshop, old: str, new: str) -> None:
    text = scanned(made(workshop).read_bytes())
    assert workshop.do("scan", text.replace(old, new), *DESK) == 1
    assert workshop.units()[SERIAL].acts.isdisjoint({"scanned", "released"})
    assert workshop.do("scan", text, *DESK) == 0


def test_scanner_that_types_for_another_keyboard_is_told_from_a_wrong_label(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    text = scanned(made(workshop).read_bytes())
    german = text.translate(str.maketrans(":/#&-yz", "Ö-§/ßzy"))
    assert workshop.do("scan", german, *DESK) == 1
    assert "another keyboard" in capsys.readouterr().err
    assert workshop.do("scan", "https://allerac-zzzz.local/#code=A&key=0", *DESK) == 1
    assert "knows no unit" in capsys.readouterr().err
    assert workshop.do("scan", text, *DESK) == 0


def test_labels_of_two_units_are_not_mixed_up(workshop: Workshop) -> None:
    workshop.drive("WD2")
    first = scanned(made(workshop).read_bytes())
    second = "ALR-VM-000002"
    burn_in(workshop, second)
    assert workshop.do("label", second, *DESK) == 0
    text = scanned((workshop.records / "labels" / f"{second}.pdf").read_bytes())
    key = text.split("key=")[1]
    assert workshop.do("scan", first.split("key=")[0] + f"key={key}", *DESK) == 1
    assert not [act for act in workshop.acts() if act.act == "released"]


def test_unit_without_or_with_a_failed_burn_in_gets_no_label(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    workshop.drive("WD1")
    assert workshop.flash() == 0
    assert workshop.do("label", SERIAL, *DESK) == 2
    assert "has not been through its burn-in" in capsys.readouterr().err
    assert burn_in(workshop, SERIAL, "inference") == 0
    assert workshop.do("label", SERIAL, *DESK) == 2
    assert "failed its burn-in: inference" in capsys.readouterr().err
    assert not (workshop.records / "labels").exists()
    assert burn_in(workshop, SERIAL, attempt=2) == 0, "a repaired unit may try again"
    assert workshop.do("label", SERIAL, *DESK) == 0


def test_unit_whose_drive_failed_gets_no_label(workshop: Workshop) -> None:
    workshop.drive("WD1", faults={"bad_block": 12 << 20})
    assert workshop.flash(burn_in=False) == 1
    assert workshop.do("label", *DESK) == 0
    assert workshop.do("label", SERIAL, *DESK) == 2
    assert not (workshop.records / "labels").exists()


def test_certificate_that_the_unit_did_not_sign_is_refused(workshop: Workshop) -> None:
    workshop.drive("WD1")
    workshop.drive("WD2")
    assert workshop.flash() == 0
    good = certificate_of(workshop, SERIAL)
    other = certificate_of(workshop, "ALR-VM-000002")
    better = base64.b64encode(b"no signature").decode()
    for document in (
        {**good, "certificate": {**good["certificate"], "passed": False}},
        {**good, "signature": other["signature"]},
        {**good, "signature": better},
        {**good, "certificate": {**good["certificate"], "serial": "ALR-VM-000099"}},
    ):
        assert workshop.do("collect", str(hand_over(workshop, document)), *DESK) == 1
    assert not [act for act in workshop.acts() if act.act == "burned-in"]
    (workshop.folder / "usb" / "torn-birth-certificate.json").write_text("{")
    assert workshop.do("collect", str(workshop.folder / "usb"), *DESK) == 2


def test_certificate_that_is_not_of_now_is_refused(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    workshop.drive("WD1")
    assert workshop.flash() == 0
    now = certificate_of(workshop, SERIAL, attempt=2)
    bodies = {
        "before its drive was last written": {**now["certificate"], "flash_id": "earlier"},
        "another device id": {**now["certificate"], "device_id": "another"},
    }
    for told, body in bodies.items():
        old = signed_by(workshop, SERIAL, body)
        assert workshop.do("collect", str(hand_over(workshop, old)), *DESK) == 1
        assert told in capsys.readouterr().err
    assert burn_in(workshop, SERIAL, "memory", attempt=2) == 0
    for attempt in (1, 2):
        assert burn_in(workshop, SERIAL, attempt=attempt) == 1, "good ones from before it failed"
        assert "older than the one that is known" in capsys.readouterr().err
    assert workshop.units()[SERIAL].has_passed is False


def test_each_writing_of_a_drive_asks_for_a_certificate_of_its_own(workshop: Workshop) -> None:
    pdf = made(workshop)
    kept = json.loads(hand_over(workshop, certificate_of(workshop, SERIAL)).read_text())
    assert workshop.do("scan", scanned(pdf.read_bytes()), *DESK) == 0
    assert workshop.do("return", str(workshop.drives / "WD1.img"), *DESK) == 0
    assert workshop.flash(batch="rework") == 0
    assert workshop.do("collect", str(hand_over(workshop, kept)), *DESK) == 1
    assert burn_in(workshop, SERIAL) == 0


def test_certificates_of_a_drive_are_taken_in_once(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("WD1", "WD2"):
        workshop.drive(name)
    assert workshop.flash() == 0
    for serial in (SERIAL, "ALR-VM-000002"):
        hand_over(workshop, certificate_of(workshop, serial))
    usb = str(workshop.folder / "usb")
    assert workshop.do("collect", usb, *DESK) == 0
    assert workshop.do("collect", usb, *DESK) == 0
    assert "known already" in capsys.readouterr().out
    assert [act.act for act in workshop.acts()].count("burned-in") == 2


def test_revoked_unit_is_never_made_nor_released_again(workshop: Workshop) -> None:
    text = scanned(made(workshop).read_bytes())
    assert workshop.do("revoke", SERIAL, "--reason", "fell", *DESK) == 0
    assert list((workshop.records / "labels").iterdir()) == [], "they hold its code"
    assert workshop.do("scan", text, *DESK) == 1
    assert workshop.flash() == 0
    assert [unit.serial for unit in workshop.units().values() if unit.is_finished] == [
        "ALR-VM-000002"
    ]


def test_unit_that_comes_back_keeps_its_identity_and_its_label(
    workshop: Workshop, tmp_path: Path
) -> None:
    text = scanned(made(workshop).read_bytes())
    assert workshop.do("scan", text, *DESK) == 0
    drive = workshop.drives / "WD1.img"
    leave_claimed(drive, tmp_path, owner=True)
    before = workshop.units()[SERIAL].facts["device_id"]
    assert workshop.do("return", str(drive), *DESK) == 0
    assert workshop.flash(batch="rework") == 1, "it holds somebody's data"
    assert workshop.flash("--give-up", "0001", batch="rework") == 0
    assert look_at(drive).serial == SERIAL
    assert workshop.units()[SERIAL].facts["device_id"] == before
    assert burn_in(workshop, SERIAL) == 0
    assert workshop.do("label", SERIAL, *DESK) == 2
    wrong = text.replace("#code=", "#code=AB")
    assert workshop.do("scan", wrong, *DESK) == 1
    assert workshop.do("scan", text, *DESK) == 0


def test_unit_that_comes_back_gets_a_new_identity_if_it_is_revoked(workshop: Workshop) -> None:
    text = scanned(made(workshop).read_bytes())
    assert workshop.do("scan", text, *DESK) == 0
    assert workshop.do("revoke", SERIAL, "--reason", "label lost", *DESK) == 0
    assert workshop.flash(batch="rework") == 0
    units = workshop.units()
    assert units["ALR-VM-000002"].drive == units[SERIAL].drive
    assert units["ALR-VM-000002"].facts["device_id"] != units[SERIAL].facts["device_id"]


MEASURED = {
    "name": "inference",
    "passed": False,
    "measured": {"model": "tiny", "decode_tokens_per_second": 8.1},
    "limits": {"min_decode_tokens_per_second": 11.0},
    "reason": "writes 8.1 tokens a second, the tier has 11.0",
}


def test_drive_of_a_unit_is_collected_and_shown_with_its_figures(
    workshop: Workshop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = workshop.drive("WD1")
    assert workshop.flash() == 0
    assert workshop.do("collect", str(drive), *DESK) == 2
    assert "has no birth certificate yet" in capsys.readouterr().err
    body = certificate_of(workshop, SERIAL)["certificate"]
    body |= {"passed": False, "profile": "vm", "checks": [MEASURED]}
    document = signed_by(workshop, SERIAL, body)
    leave_certificate(drive, tmp_path, document)
    assert workshop.do("collect", str(drive), *DESK) == 0
    assert f"{SERIAL}: failed: inference" in capsys.readouterr().out
    assert workshop.units()[SERIAL].facts["certificate"] == document
    assert workshop.do("show", str(drive)) == 0
    told = capsys.readouterr().out
    for part in (
        *(f"{SERIAL}, vm, ", "failed; signed by the unit", "✗  inference", "model tiny"),
        *("decode_tokens_per_second 8.1", "min_decode_tokens_per_second 11.0", "the tier has 11.0"),
    ):
        assert part in told


def test_certificate_that_is_shown_says_who_vouches_for_it(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    workshop.drive("WD1")
    assert workshop.flash() == 0
    good = certificate_of(workshop, SERIAL)
    changed = {**good, "certificate": {**good["certificate"], "passed": False}}
    stranger = {**good, "certificate": {**good["certificate"], "serial": "ALR-VM-000099"}}
    for document, told in (
        (good, "passed; signed by the unit"),
        (changed, "failed; NOT signed by the unit"),
        (stranger, "this ledger does not know the unit"),
        (
            {**good, "certificate": {"serial": SERIAL, "checks": [1, {"name": "\x1b"}]}},
            "NOT signed",
        ),
    ):
        assert workshop.do("show", str(hand_over(workshop, document))) == 0
        said = capsys.readouterr().out
        assert told in said
        assert "\x1b" not in said


def test_life_of_a_unit_is_told(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    made(workshop)
    capsys.readouterr()
    assert workshop.do("show", SERIAL) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[2] for line in lines] == [
        *("begun", "written", "identified", "ready", "burned-in", "labelled")
    ]
    assert "Ana at bench-1" in lines[0]
    code = Pending(workshop.records / "pending").read(SERIAL).claim_code
    assert code not in "\n".join(lines)
