"""Labels as a scanner and as a person read them, from the printed page."""

from dataclasses import dataclass

import pypdfium2
import zxingcpp

SCALE = 4.0


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a page, in points from its top left corner."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        """Whether both share a spot."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def wider_by(self, distance: float) -> "Box":
        """Return it with so much more at each side."""
        return Box(
            *(self.left - distance, self.top - distance),
            *(self.right + distance, self.bottom + distance),
        )


def scanned(pdf: bytes, scale: float = SCALE) -> str:
    """Print a label and hold a scanner at it."""
    return str(_code(pdf, scale).text)


def text_of(pdf: bytes) -> str:
    """Return what is readable on a label."""
    return str(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded())


def page_of(pdf: bytes) -> Box:
    """Return the label's size."""
    return Box(0, 0, *pypdfium2.PdfDocument(pdf)[0].get_size())


def code_on(pdf: bytes) -> Box:
    """Return where the scanner finds the code."""
    corners = _code(pdf, SCALE).position
    first, last = corners.top_left, corners.bottom_right
    return Box(first.x / SCALE, first.y / SCALE, last.x / SCALE, last.y / SCALE)


def signs_on(pdf: bytes) -> list[Box]:
    """Return where each sign is printed."""
    page = pypdfium2.PdfDocument(pdf)[0]
    height, text = page.get_height(), page.get_textpage()
    boxes = [text.get_charbox(number) for number in range(text.count_chars())]
    return [Box(left, height - top, right, height - bottom) for left, bottom, right, top in boxes]


def _code(pdf: bytes, scale: float) -> zxingcpp.Barcode:
    picture = pypdfium2.PdfDocument(pdf)[0].render(scale=scale).to_pil()
    (code,) = zxingcpp.read_barcodes(picture)
    return code
