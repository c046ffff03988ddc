"""Labels as a scanner and as a person read them, from the printed page."""

import pypdfium2
import zxingcpp


def scanned(pdf: bytes, scale: float = 4.0) -> str:
    """Print a label and hold a scanner at it."""
    page = pypdfium2.PdfDocument(pdf)[0]
    picture = page.render(scale=scale).to_pil()
    (code,) = zxingcpp.read_barcodes(picture)
    return str(code.text)


def text_of(pdf: bytes) -> str:
    """Return what is readable on a label."""
    return str(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded())
