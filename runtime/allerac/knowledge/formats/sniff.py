"""Which kind of document a file is, by its content and never by its name."""

import csv
import re
import zipfile
from itertools import pairwise
from typing import BinaryIO, Final, Literal

from allerac.knowledge.reasons import Unreadable

Kind = Literal["pdf", "docx", "pptx", "xlsx", "epub", "html", "csv", "md", "txt"]

HEAD_BYTES: Final = 64 * 1024
MAX_ENTRIES: Final = 20_000
MAX_UNPACKED_BYTES: Final = 400 * 1024 * 1024
MAX_RATIO: Final = 200
"""XML packs to a tenth; DEFLATE at most to a thousandth (RFC 1951), which only a bomb does."""
RATIO_COUNTS_FROM_BYTES: Final = 10 * 1024 * 1024

_PARTS: Final[tuple[tuple[str, Kind], ...]] = (
    ("word/document.xml", "docx"),
    ("ppt/presentation.xml", "pptx"),
    ("xl/workbook.xml", "xlsx"),
    ("META-INF/container.xml", "epub"),
)
_PICTURES: Final = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")
_OTHER: Final = (
    b"{\\rtf",
    b"\x1f\x8b",
    b"7z\xbc\xaf",
    b"Rar!",
    b"MZ",
    b"\x7fELF",
    b"BZh",
    b"\xfd7z",
)
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML: Final = re.compile(
    r"<(!doctype\s+html|html|head|body|title|div|p|h[1-6]|table|ul|article|section|span)\b", re.I
)
_HEIF: Final = re.compile(rb"....ftyp(hei[csxm]|hev[cx]|mif1|msf1|avi[fs])", re.S)
_MARKDOWN: Final = re.compile(
    r"^(#{1,6} \S|```|[-*] \[[ x]\] |\|.*\|\s*$|> )|\[[^\]\n]+\]\([^)\s]+\)|\*\*\S[^*\n]*\*\*", re.M
)


def sniff(file: BinaryIO) -> Kind:
    """Return the kind of `file` and leave it at its beginning. Raises `Unreadable`."""
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if not head.strip(b"\0 \t\r\n"):
        raise Unreadable("empty")
    if b"%PDF-" in head[:1024] and not head.startswith((b"PK", *_OTHER)):
        return "pdf"
    if head.startswith(b"PK"):
        return _sniff_zip(file)
    if head.startswith(_OLE):
        raise Unreadable("old_office")
    if head.startswith(_PICTURES) or _HEIF.match(head):
        raise Unreadable("picture")
    if head.startswith(_OTHER):
        raise Unreadable("unknown_kind")
    return _sniff_text(decode(head))


def _sniff_zip(file: BinaryIO) -> Kind:
    try:
        with zipfile.ZipFile(file) as archive:
            _require_harmless(archive)
            names = {entry.filename for entry in archive.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError) as error:
        raise Unreadable("damaged") from error
    finally:
        file.seek(0)
    for name, kind in _PARTS:
        if name in names:
            return kind
    raise Unreadable("unknown_kind")


def _require_harmless(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries) or 1
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED_BYTES:
        raise Unreadable("bomb")
    if unpacked > RATIO_COUNTS_FROM_BYTES and unpacked / packed > MAX_RATIO:
        raise Unreadable("bomb")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable("encrypted")
    starts = sorted((entry.header_offset, entry.compress_size) for entry in entries)
    for (start, size), (following, _) in pairwise(starts):
        if start + size > following:
            raise Unreadable("bomb")  # entries that share their bytes


def decode(data: bytes) -> str:
    """Return text as UTF-8 or UTF-16, else as Windows' Western one. Raises `Unreadable`."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        raise Unreadable("unknown_kind")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start > len(data) - 4:  # cut inside a character
            return data.decode("utf-8-sig", "ignore")
    text = data.decode("cp1252", "replace")
    strange = sum(letter < " " and letter not in "\t\r\n\f" for letter in text)
    if strange > len(text) / 50:
        raise Unreadable("unknown_kind")
    return text


def _sniff_text(text: str) -> Kind:
    start = text.lstrip()[:4096]
    if start.startswith("<") and _HTML.search(start):
        return "html"
    if delimiter_of(text) is not None:
        return "csv"
    return "md" if _MARKDOWN.search(text) else "txt"


def delimiter_of(text: str) -> str | None:
    """Return what separates the columns of a table; None where the text is none."""
    lines = [line for line in text.splitlines()[:21] if line.strip()]
    if len(text) > HEAD_BYTES // 2 and len(lines) > 1:
        lines.pop()  # perhaps cut
    if len(lines) < 2:
        return None
    for delimiter in ",;\t|":
        rows = list(csv.reader(lines, delimiter=delimiter))
        widths = {len(row) for row in rows}
        if len(widths) == 1 and widths.pop() > 1 and _looks_like_cells(rows, lines, delimiter):
            return delimiter
    return None


def _looks_like_cells(rows: list[list[str]], lines: list[str], delimiter: str) -> bool:
    """Tell a table from prose that has a comma in each of its lines."""
    if delimiter == "|" and all(line.lstrip().startswith("|") for line in lines):
        return False  # a table of Markdown
    following = [cell for row in rows for cell in row[1:]]
    spaced = sum(cell.startswith(" ") for cell in following)
    return delimiter != "," or spaced * 2 <= len(following)
