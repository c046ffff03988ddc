"""PDF, through PDFium: the text of each page, its place in the table of contents, its picture."""

import re
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import pypdfium2

from allerac.knowledge.formats.piece import Block, Page, Part
from allerac.knowledge.reasons import Unreadable

MAX_PAGES: Final = 5_000
MAX_CONTENTS: Final = 5_000
PAGE_CHARACTERS: Final = 200_000
PICTURE_WIDTH: Final = 1_000
_PASSWORD_ERROR: Final = 4  # FPDF_ERR_PASSWORD of fpdfview.h
_LINE_GOES_ON: Final = re.compile(r"(?<![.!?:;])\r?\n(?=[a-zà-öø-ÿ(])")
_HYPHEN: Final = re.compile(r"(?<=\w)(?:\ufffe|\u00ad|-)\r?\n(?=[a-zà-öø-ÿ])|\ufffe(?=\w)")


def read(file: BinaryIO) -> Iterator[Part]:
    """Yield the lines of every page. Raises `Unreadable`."""
    document = _open(file)
    count = len(document)
    if count > MAX_PAGES:
        raise Unreadable("too_many_pages")
    starts, titles = _contents(document)
    pictures = False
    for number in range(1, count + 1):
        yield Page(number, count)
        page = _page(document, number)
        if page is None:
            continue
        text = _text(page)
        place = bisect_right(starts, number) - 1
        heading = titles[place] if place >= 0 else ""
        if text.strip():
            yield Block(_joined(text), heading, number)
        else:
            pictures = pictures or next(iter(page.get_objects(max_depth=2)), None) is not None
        page.close()
    if pictures:
        yield Block("", "", None)  # tells a scan from an empty document


def draw(file: BinaryIO, number: int) -> bytes:
    """Return a page as a PNG of 1,000 pixels' width. Raises `Unreadable`."""
    document = _open(file)
    page = _page(document, number) if 0 < number <= len(document) else None
    if page is None:
        raise Unreadable("damaged")
    width, height = page.get_size()
    if width <= 0 or height <= 0 or height > 20 * width:
        raise Unreadable("damaged")
    bitmap = page.render(scale=PICTURE_WIDTH / width, rev_byteorder=True)
    return _png(bitmap)


def _open(file: BinaryIO) -> Any:
    try:
        return pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) == _PASSWORD_ERROR
        raise Unreadable("encrypted" if locked else "damaged") from error


def _page(document: Any, number: int) -> Any:
    try:
        return document[number - 1]
    except pypdfium2.PdfiumError:
        return None  # one bad page leaves the others


def _text(page: Any) -> str:
    words = page.get_textpage()
    count = min(words.count_chars(), PAGE_CHARACTERS)
    text: str = words.get_text_range(0, count) if count else ""
    return text


def _contents(document: Any) -> tuple[list[int], list[str]]:
    """Return the pages at which sections begin, ascending, and the titles of these sections."""
    places: list[tuple[int, str]] = []
    try:
        for item in document.get_toc(max_depth=3):
            target = item.get_dest()
            index = target.get_index() if target else None
            if index is not None:
                places.append((index + 1, item.get_title()))
            if len(places) >= MAX_CONTENTS:
                break
    except pypdfium2.PdfiumError:
        pass
    places.sort(key=lambda place: place[0])
    return [page for page, _ in places], [title for _, title in places]


def _joined(text: str) -> str:
    """Join lines that go on, as a person would copy them."""
    return _LINE_GOES_ON.sub(" ", _HYPHEN.sub("", text))


def _png(bitmap: Any) -> bytes:
    """Return a bitmap as PNG (https://www.w3.org/TR/png-3/): RGB, 8 bits, no filter."""
    width, height, stride, channels = bitmap.width, bitmap.height, bitmap.stride, bitmap.n_channels
    data = bytes(bitmap.buffer)
    colours = {1: 0, 3: 2, 4: 6}
    if channels not in colours:
        raise Unreadable("damaged")
    rows = b"".join(
        b"\0" + data[start : start + width * channels]
        for start in range(0, stride * height, stride)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, colours[channels], 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )
