"""A label as a PDF page of its own size, its code drawn as one shape."""

import io

import segno
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from .label import Label

WIDTH, HEIGHT = 74 * mm, 40 * mm
MARGIN = 4 * mm
CODE_SIDE = 28 * mm
QUIET = 4
"""Free modules around a code that scanners ask for (ISO/IEC 18004, 9.1)."""


def as_pdf(label: Label) -> bytes:
    """Return the label as a PDF; the same label gives the same bytes."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(WIDTH, HEIGHT), invariant=1, pageCompression=1)
    canvas.setTitle(f"Allerac {label.identity.serial}")
    left, top = MARGIN, HEIGHT - MARGIN
    canvas.setFont("Helvetica-Bold", 14)
    canvas.drawString(left, top - 4.2 * mm, label.product)
    canvas.setFont("Helvetica", 6.5)
    canvas.drawString(left, top - 9.2 * mm, "Code to make it yours")
    canvas.setFont("Courier-Bold", 15)
    canvas.drawString(left, top - 14.6 * mm, label.identity.shown_code)
    canvas.setFont("Helvetica", 6.5)
    canvas.drawString(left, top - 18.6 * mm, label.identity.address.removeprefix("https://"))
    for row, (name, value) in enumerate(reversed(label.lines)):
        base = MARGIN + row * 3 * mm
        canvas.drawString(left, base, name)
        canvas.drawString(left + 9 * mm, base, value)
    _draw_code(canvas, label.scanned)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw_code(canvas: Canvas, text: str) -> None:
    matrix = segno.make(text, error="m", micro=False).matrix
    module = CODE_SIDE / len(matrix)
    left, top = WIDTH - MARGIN - CODE_SIDE, (HEIGHT + CODE_SIDE) / 2
    path = canvas.beginPath()
    for row, modules in enumerate(matrix):
        for column, dark in enumerate(modules):
            if dark:
                path.rect(left + column * module, top - (row + 1) * module, module, module)
    canvas.drawPath(path, stroke=0, fill=1)
