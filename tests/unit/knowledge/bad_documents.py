"""Documents that break, mislead or explode: name, bytes, and the reasons that are given."""

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator

from tests import documents

Case = tuple[str, bytes, frozenset[str]]

MEGABYTE = 1 << 20
DAMAGED = frozenset({"damaged", "no_text", "scan", "crashed"})
BOMB = frozenset({"bomb", "too_much_memory", "too_slow", "too_long", "damaged", "no_text"})
UNKNOWN = frozenset({"unknown_kind"})


def cases() -> list[Case]:
    """Return all of them; the same in every run."""
    return [*_plain(), *_zips(), *_office_bombs(), *_pdfs(), *_mutated()]


def _plain() -> Iterator[Case]:
    yield "empty", b"", frozenset({"empty"})
    yield "spaces", b" \n\t\r\n" * 100, frozenset({"empty"})
    yield "zeros", b"\0" * MEGABYTE, frozenset({"empty"})
    yield "picture", b"\x89PNG\r\n\x1a\n" + b"x" * 100, frozenset({"picture"})
    yield "photo", b"\xff\xd8\xff\xe0" + b"x" * 100, frozenset({"picture"})
    yield "program", b"\x7fELF" + b"x" * 100, UNKNOWN
    yield "windows program called .pdf", b"MZ" + b"%PDF-1.7" * 10, UNKNOWN
    yield "rich text", b"{\\rtf1 hello}", UNKNOWN
    yield "gzip", gzip.compress(b"x" * 10 * MEGABYTE), UNKNOWN
    yield "old word", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, frozenset({"old_office"})
    yield "binary", bytes(range(256)) * 50, UNKNOWN
    yield "noise", random.Random(1).randbytes(5000), UNKNOWN | {"damaged"}  # noqa: S311 - seeded
    yield (
        "html without words",
        b"<!doctype html><html><body><script>x()</script>",
        frozenset({"no_text"}),
    )


def _zip(*entries: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, content in entries:
            packed.writestr(name, content)
    return target.getvalue()


def _zips() -> Iterator[Case]:
    yield "zip of nothing known", _zip(("a.txt", b"hello")), UNKNOWN
    yield "zip with traversal", _zip(("../../etc/passwd", b"x"), ("/abs", b"y")), UNKNOWN
    yield "cut zip", _zip(("word/document.xml", b"<x/>" * 1000))[:-40], frozenset({"damaged"})
    yield "zip of one magic", b"PK\x03\x04", frozenset({"damaged"})
    yield "zip bomb", _zip(("word/document.xml", b"\0" * 60 * MEGABYTE)), BOMB
    yield "many entries", _zip(*((f"{n}", b"") for n in range(20_500))), BOMB
    nested = _zip(("inner.zip", _zip(("inner.zip", _zip(("0", b"\0" * 20 * MEGABYTE))))))
    yield "zip in zip", nested, UNKNOWN
    locked = bytearray(_zip(("word/document.xml", b"<x/>")))
    for at in (6, locked.find(b"PK\x01\x02") + 8):
        locked[at] |= 1
    yield "locked zip", bytes(locked), frozenset({"encrypted"})
    yield "entries that overlap", _overlapping(), BOMB
    yield "zip whose sizes lie", _lying(), BOMB


def _overlapping() -> bytes:
    """Return a zip whose two names mean the same bytes."""
    data = bytearray(_zip(("word/document.xml", b"x" * 1000), ("b", b"y" * 1000)))
    first = data.find(b"PK\x01\x02")
    second = data.find(b"PK\x01\x02", first + 4)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    return bytes(data)


def _lying() -> bytes:
    """Return a document that says it has 100 bytes and unpacks to 300 MB."""
    content = b"<w:document>" + b"a" * 300 * MEGABYTE
    data = bytearray(_zip(("[Content_Types].xml", b"<Types/>"), ("word/document.xml", content)))
    entry = data.rfind(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", 100)
    return bytes(data)


_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("bcdefgh", "cdefghi", strict=True)
    )
    + "]><l>&i;</l>"
)
_OUTSIDE = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>'


def _swapped(document: bytes, part: str, content: bytes) -> bytes:
    """Return an office document with one part replaced."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(document)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in source.namelist():
            packed.writestr(name, content if name == part else source.read(name))
    return target.getvalue()


def _office_bombs() -> Iterator[Case]:
    word = documents.word([("A", "text")])
    deck = documents.slides([("A", "text")])
    table = documents.sheets([("A", [[1, 2]])])
    novel = documents.book([("A", "text")])
    parts = (
        ("docx", word, "word/document.xml"),
        ("pptx", deck, "ppt/presentation.xml"),
        ("xlsx", table, "xl/workbook.xml"),
        ("epub", novel, "OEBPS/book.opf"),
    )
    for kind, document, part in parts:
        yield f"{kind} with laughing entities", _swapped(document, part, _LAUGHS.encode()), BOMB
        yield f"{kind} that asks for a file", _swapped(document, part, _OUTSIDE.encode()), BOMB
        yield f"{kind} with broken xml", _swapped(document, part, b"<a><b></a>"), DAMAGED
        yield f"{kind} with nothing inside", _swapped(document, part, b""), DAMAGED
    deep = b"<w:p>" * 200_000
    yield "docx a hundred thousand deep", _swapped(word, "word/document.xml", deep), BOMB
    yield "only a content type", documents.archive({"[Content_Types].xml": _TYPES}), UNKNOWN


def _stream(data: bytes, filters: str = "") -> bytes:
    return f"<< /Length {len(data)} {filters}>>\nstream\n".encode() + data + b"\nendstream"


def _page_with(content: bytes) -> bytes:
    page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>"
    return documents.raw_pdf(["<< /Type /Catalog /Pages 2 0 R >>", _PAGES, page, content])


_PAGES = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"


def _pdfs() -> Iterator[Case]:
    yield "pdf of one line", b"%PDF-1.7\n", DAMAGED
    yield "cut pdf", documents.pdf(["hello"])[:300], DAMAGED
    yield (
        "locked pdf",
        documents.pdf(["hello"], encrypted=True),
        frozenset({"encrypted", "damaged"}),
    )
    yield "scan", documents.scanned_pdf(), frozenset({"scan"})
    yield "empty page", documents.pdf([""]), frozenset({"no_text", "scan"})
    loop = documents.raw_pdf(
        ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 100000 >>"]
    )
    yield "pages that contain themselves", loop, DAMAGED | {"too_many_pages"}
    many = documents.raw_pdf(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            f"<< /Type /Pages /Kids [{'3 0 R ' * 100_000}] /Count 100000 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
        ]
    )
    yield "a hundred thousand pages", many, frozenset({"too_many_pages", *DAMAGED})
    flate = zlib.compress(b"(x) Tj " * 30 * MEGABYTE, 9)
    yield "pdf bomb", _page_with(_stream(flate, "/Filter /FlateDecode ")), BOMB | DAMAGED
    twice = zlib.compress(zlib.compress(b"\0" * 200 * MEGABYTE, 9), 9)
    filters = "/Filter [/FlateDecode /FlateDecode] "
    yield "pdf bomb, packed twice", _page_with(_stream(twice, filters)), BOMB | DAMAGED
    wide = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 1e9 1e9] /Contents 4 0 R >>"
    yield (
        "pdf as large as a town",
        documents.raw_pdf(["<< /Type /Catalog /Pages 2 0 R >>", _PAGES, wide, _stream(b"")]),
        DAMAGED,
    )


def _mutated() -> Iterator[Case]:
    """Good documents with some of their bytes changed: read or refused, never a crash of ours."""
    dice = random.Random(20)  # noqa: S311 - seeded
    sources = {
        "pdf": documents.pdf(["one two three"]),
        "docx": documents.word([("A", "text")]),
        "xlsx": documents.sheets([("A", [["a", "b"], [1, 2]])]),
        "epub": documents.book([("A", "text")]),
    }
    for kind, source in sources.items():
        for number in range(3):
            data = bytearray(source)
            for _ in range(40):
                data[dice.randrange(len(data))] = dice.randrange(256)
            yield f"{kind}, changed {number}", bytes(data), DAMAGED | BOMB | UNKNOWN | {"read"}
