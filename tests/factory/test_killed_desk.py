"""Models, certificate, label, scan and return: killed at any line, each is done once in the end."""

import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from allerac_factory.file_system import Ext4
from allerac_factory.findings import problems
from allerac_factory.identity import KEPT, Pending
from allerac_factory.ledger import Ledger

from .killed import run
from .label_scanner import scanned
from .test_models import MODEL, keep_model
from .unit_drive import table_of
from .unit_start import DESK, certificate_of, hand_over
from .workshop import Workshop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SERIAL = "ALR-VM-000001"
SEED = 20261121
POINTS = 25
POINTS_WITH_MODELS = 6
SLACK = 5
"""Lines by which two runs of one command may differ."""

PROGRAM = (
    *("desk.py", "desk_commands.py", "ledger.py", "identity.py"),
    *("certificate.py", "label_pdf.py", "label_zpl.py", "file_system.py"),
)


@pytest.fixture
def unit(workshop: Workshop) -> Workshop:
    """A station with one unit whose drive is written and whose certificate is on a USB drive."""
    workshop.drive("WD1")
    assert workshop.flash() == 0
    hand_over(workshop, certificate_of(workshop, SERIAL))
    return workshop


def killed_everywhere(workshop: Workshop, words: Sequence[str]) -> Iterator[None]:
    """Kill the command at lines all over it, from the same records each time; yield after each."""
    before = workshop.folder / "before"
    shutil.rmtree(before, ignore_errors=True)
    shutil.copytree(workshop.records, before)
    command = [*words, *DESK, "--records", str(workshop.records)]
    _, lines = run(command, PROGRAM)
    assert lines > POINTS + SLACK
    chance = random.Random(SEED)  # noqa: S311  moments, not secrets
    for last in sorted(chance.sample(range(1, lines - SLACK), POINTS)):
        shutil.rmtree(workshop.records)
        shutil.copytree(before, workshop.records)
        was_killed, _ = run(command, PROGRAM, last)
        assert was_killed
        yield
        require_whole(workshop)


def require_whole(workshop: Workshop) -> None:
    """Fail unless the ledger proves itself."""
    ledger = Ledger(workshop.records / "ledger.sqlite")
    try:
        assert problems(ledger) == []
    finally:
        ledger.close()


def count(workshop: Workshop, name: str) -> int:
    return [act.act for act in workshop.acts()].count(name)


def label(workshop: Workshop) -> Path:
    return workshop.records / "labels" / f"{SERIAL}.pdf"


def test_every_desk_command_that_was_killed_is_finished_by_repeating_it(unit: Workshop) -> None:
    usb = str(unit.folder / "usb")
    for _ in killed_everywhere(unit, ["collect", usb]):
        assert unit.do("collect", usb, *DESK) == 0
        assert count(unit, "burned-in") == 1
    for _ in killed_everywhere(unit, ["label"]):
        assert unit.do("label", *DESK) == 0
        assert scanned(label(unit).read_bytes()).startswith("https://allerac-")
        assert {path.stat().st_mode & 0o777 for path in label(unit).parent.iterdir()} == {0o600}
        assert label(unit).with_suffix(".zpl").read_text().endswith("^XZ\n")
    text = scanned(label(unit).read_bytes())
    for _ in killed_everywhere(unit, ["scan", text]):
        unit.do("scan", text, *DESK)
        assert count(unit, "released") == 1
        for folder in ("pending", "labels"):
            assert list((unit.records / folder).iterdir()) == []
    drive = str(unit.drives / "WD1.img")
    for _ in killed_everywhere(unit, ["return", drive]):
        assert unit.do("return", drive, *DESK) == 0
        assert unit.units()[SERIAL].stage == "returned"
        files = Pending(unit.records / "pending").files(SERIAL)
        assert all((files / name).read_bytes() for name in KEPT)
    assert unit.flash(batch="rework", burn_in=False) == 0
    assert unit.do("scan", text, *DESK) == 0, "the label that it has is still its own"


def test_station_killed_while_it_copies_models_begins_that_drive_anew(workshop: Workshop) -> None:
    content = b"model" * (1 << 20)
    keep_model(workshop.folder / "models", content)
    with_models = {"models": [MODEL], "model_cache": str(workshop.folder / "models")}
    copying = ("preload.py", "file_system.py")
    workshop.drive("D0")
    command = workshop.flash_words(workshop.job(batch="vm-0", **with_models))
    _, lines = run(command, copying)
    chance = random.Random(SEED)  # noqa: S311  moments, not secrets
    for number, last in enumerate(
        sorted(chance.sample(range(1, lines - SLACK), POINTS_WITH_MODELS)), 1
    ):
        for drive in workshop.drives.iterdir():
            drive.unlink()
        drive = workshop.drive(f"D{number}")
        command = workshop.flash_words(workshop.job(batch=f"vm-{number}", **with_models))
        was_killed, _ = run(command, copying, last)
        assert was_killed
        assert not any(u.is_finished for u in workshop.units().values() if u.drive == drive.stem)
        assert workshop.flash(batch=f"vm-{number}", **with_models) == 0
        data = Ext4(drive, table_of(drive).partition("data").offset)
        data.check()
        assert data.read(f"/allerac/models/{MODEL}/tiny.gguf") == content
        require_whole(workshop)
    units = workshop.units()
    assert set(units) == {f"ALR-VM-{one:06}" for one in range(1, POINTS_WITH_MODELS + 2)}
    assert all(one.is_finished for one in units.values())
