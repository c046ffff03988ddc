"""A label says who the unit is to people and to scanners, however long its serial is."""

import re
from dataclasses import dataclass, replace

import pytest
from reportlab.pdfbase.pdfmetrics import stringWidth

from allerac_factory.identity import Identity
from allerac_factory.job import LONGEST_SERIAL
from allerac_factory.label import Label
from allerac_factory.label_pdf import as_pdf
from allerac_factory.label_zpl import as_zpl

from .label_scanner import Box, code_on, page_of, scanned, signs_on, text_of

LABEL = Label(
    "Allerac Lite",
    "n100",
    Identity("ALR-N100-000042", "0198c0de", "k7qm", "ab" * 32, "K7QM4XWP"),
    "7C:83:34:AA:BB:01",
)
WIDEST, USUAL = "W" * LONGEST_SERIAL, "ALR-OF-A-VERY-LONG-NAME-2026-47-00000042"
SERIALS = pytest.mark.parametrize("serial", [LABEL.identity.serial, USUAL, WIDEST])
MODULES = 37
"""On a side of the code (ISO/IEC 18004, version 5), with four free ones around it."""

DOTS = Box(0, 0, 74 * 8, 40 * 8)
BELOW_DOTS = 10
"""By which printers draw a code lower than they are told."""


def with_serial(serial: str) -> Label:
    return replace(LABEL, identity=replace(LABEL.identity, serial=serial))


@SERIALS
def test_code_of_the_label_is_scanned_from_its_picture(serial: str) -> None:
    label = with_serial(serial)
    pdf = as_pdf(label)
    assert scanned(pdf) == label.scanned
    assert label.scanned == f"https://allerac-k7qm.local/#code=K7QM4XWP&key={'ab' * 16}"
    assert as_pdf(label) == pdf


def test_page_brings_its_own_letters() -> None:
    pdf = as_pdf(LABEL)
    assert pdf.count(b"/FontFile2") == 2
    assert b"/Helvetica" not in pdf


@SERIALS
def test_people_read_everything_on_the_label(serial: str) -> None:
    text = text_of(as_pdf(with_serial(serial)))
    for told in (
        *("Allerac Lite", "K7QM-4XWP", "allerac-k7qm.local"),
        *(serial, "7C:83:34:AA:BB:01", "N100"),
    ):
        assert told in text


@SERIALS
def test_nothing_is_printed_into_the_code_or_beyond_the_edge(serial: str) -> None:
    pdf = as_pdf(with_serial(serial))
    code, page = code_on(pdf), page_of(pdf)
    free = code.wider_by((code.right - code.left) / MODULES * 4)
    for sign in signs_on(pdf):
        assert not sign.overlaps(free)
        assert page.left < sign.left <= sign.right < page.right
        assert page.top < sign.top <= sign.bottom < page.bottom


def test_longest_serial_is_still_large_enough_to_be_read() -> None:
    heights = [sign.bottom - sign.top for sign in signs_on(as_pdf(with_serial(WIDEST)))]
    assert max(heights[-LONGEST_SERIAL:]) > 3.0, "a millimetre"


@dataclass(frozen=True, slots=True)
class Field:
    """What a Zebra printer writes: a text in its box of dots."""

    box: Box
    text: str


def fields_of(zpl: str) -> list[Field]:
    """Return the texts; as wide as Helvetica Bold, which the printer's font is not."""
    found = re.findall(r"\^FO(\d+),(\d+)\^A0N,(\d+),\d+\^FH_\^FD(.*)\^FS", zpl)
    return [
        Field(Box(x, y, x + stringWidth(text, "Helvetica-Bold", size), y + size), text)
        for x, y, size, text in ((*map(int, place), text) for *place, text in found)
    ]


@SERIALS
def test_zebra_label_holds_the_same(serial: str) -> None:
    label = with_serial(serial)
    zpl = as_zpl(label)
    texts = [field.text for field in fields_of(zpl)]
    assert texts == [
        *("Allerac Lite", "Make it yours: scan this, or open", "allerac-k7qm.local"),
        *("and type", "K7QM-4XWP"),
        *("Serial", serial, "Model", "N100", "MAC", "7C:83:34:AA:BB:01"),
    ]
    assert f"^FDMA,{label.scanned}^FS" in zpl
    assert zpl.startswith("^XA")
    assert zpl.rstrip().endswith("^XZ")


@SERIALS
def test_zebra_prints_nothing_into_the_code_or_beyond_the_edge(serial: str) -> None:
    zpl = as_zpl(with_serial(serial))
    ((x, y, module),) = re.findall(r"\^FO(\d+),(\d+)\^BQN,2,(\d+)", zpl)
    side = MODULES * int(module)
    code = Box(int(x), int(y), int(x) + side, int(y) + side + BELOW_DOTS)
    for field in fields_of(zpl):
        assert not field.box.overlaps(code.wider_by(4 * int(module)))
        assert field.box.right < DOTS.right - 16
        assert field.box.bottom < DOTS.bottom - 16


def test_no_stray_command_reaches_a_zebra_printer() -> None:
    zpl = as_zpl(Label("A^B~C", "n100", LABEL.identity))
    assert "^FDA_5EB_7EC^FS" in zpl
