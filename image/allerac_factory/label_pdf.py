"""A label as a PDF page of its own size, its code drawn as one shape."""

import io

import segno
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from .label import Label, fitting

WIDTH, HEIGHT = 74 * mm, 40 * mm
MARGIN = 4 * mm
CODE_SIDE = 28 * mm
BESIDE_CODE = 34.5 * mm
"""From the left margin to the free modules around the code, which scanners ask for (ISO/IEC 18004,
9.1): four, of which the code has 37."""

BOTTOM = 3 * mm
NAMES = 9 * mm
LINE = 3 * mm
SMALL = 6
PLAIN, BOLD = "Vera", "VeraBd"
FONTS = {PLAIN: "Vera.ttf", BOLD: "VeraBd.ttf"}
"""Bitstream's, which reportlab brings: part of the page, so that every printer's is the same."""


def as_pdf(label: Label) -> bytes:
    """Return the label as a PDF; the same label gives the same bytes."""
    for font, file in FONTS.items():
        registerFont(TTFont(font, file))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(WIDTH, HEIGHT), invariant=1, initialFontName=PLAIN)
    canvas.setTitle(f"Allerac {label.identity.serial}")
    top, (how, address, then) = HEIGHT - MARGIN, label.advice
    _write(canvas, top - 3.8 * mm, BOLD, 14, label.product)
    _write(canvas, top - 9 * mm, PLAIN, SMALL, how)
    _write(canvas, top - 12.3 * mm, BOLD, 7.5, address)
    _write(canvas, top - 15.3 * mm, PLAIN, SMALL, then)
    _write(canvas, top - 20.6 * mm, BOLD, 15, label.identity.shown_code)
    for row, (name, value) in enumerate(reversed(label.lines)):
        base = BOTTOM + row * LINE
        width = BESIDE_CODE if row else WIDTH - 2 * MARGIN  # the last one is below the code
        _write(canvas, base, PLAIN, SMALL, name)
        _write(canvas, base, PLAIN, SMALL, value, left=NAMES, width=width)
    _draw_code(canvas, label.scanned)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _write(
    canvas: Canvas,
    base: float,
    font: str,
    size: float,
    text: str,
    left: float = 0.0,
    width: float = BESIDE_CODE,
) -> None:
    """Write a line as large as it may be, from `left` to `width`, both from the margin."""
    canvas.setFont(font, fitting(text, font, size, width - left))
    canvas.drawString(MARGIN + left, base, text)


def _draw_code(canvas: Canvas, text: str) -> None:
    matrix = segno.make(text, error="m", micro=False).matrix
    module = CODE_SIDE / len(matrix)
    left, top = WIDTH - MARGIN - CODE_SIDE, HEIGHT - MARGIN
    path = canvas.beginPath()
    for row, modules in enumerate(matrix):
        for column, dark in enumerate(modules):
            if dark:
                path.rect(left + column * module, top - (row + 1) * module, module, module)
    canvas.drawPath(path, stroke=0, fill=1)
