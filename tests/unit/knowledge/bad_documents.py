"""Documents that break or mislead: name, bytes, and what becomes of them."""

import gzip
import hashlib
import io
import random
import struct
import zipfile
from collections.abc import Iterator

from tests import documents

from .bombs import Bomb, with_part

Case = Bomb
"""The last is a key of `REASONS`, or "read"."""

MEGABYTE = 1 << 20
ANY_OF_CHANGED = frozenset({"read", "damaged", "no_text", "scan", "bomb", "unknown_kind"})


def cases() -> list[Case]:
    """Return those that end in one way; the same in every run."""
    return [*_plain(), *_polyglots(), *_zips(), *_office(), *_pdfs()]


def _plain() -> Iterator[Case]:
    yield "empty", b"", "empty"
    yield "spaces", b" \n\t\r\n" * 100, "empty"
    yield "zeros", b"\0" * MEGABYTE, "empty"
    yield "picture", b"\x89PNG\r\n\x1a\n" + b"x" * 100, "picture"
    yield "photo", b"\xff\xd8\xff\xe0" + b"x" * 100, "picture"
    yield "program", b"\x7fELF" + b"x" * 100, "unknown_kind"
    yield "rich text", b"{\\rtf1 hello}", "unknown_kind"
    yield "gzip", gzip.compress(b"x" * 10 * MEGABYTE), "unknown_kind"
    yield "old word", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "old_office"
    yield "binary", bytes(range(256)) * 50, "unknown_kind"
    yield "noise", random.Random(1).randbytes(5000), "unknown_kind"  # noqa: S311 - seeded
    yield "html without words", b"<!doctype html><html><body><script>x()</script>", "no_text"


def _polyglots() -> Iterator[Case]:
    """Yield files that are of two kinds; they are read as one of them, or not at all."""
    paper, packed = documents.pdf(["hello"]), _zip(("a.txt", b"hello"))
    letter = documents.word([("A", "text")])
    yield "windows program and pdf", b"MZ" + paper, "unknown_kind"
    yield "linux program and pdf", b"\x7fELF" + paper, "unknown_kind"
    yield "gif and pdf", b"GIF89a" + paper, "read"
    yield "pdf and zip", paper + packed, "read"
    yield "pdf and word", paper + letter, "read"
    yield "zip and pdf", packed + paper, "unknown_kind"
    yield "html and zip", b"<!doctype html><p>hello</p>" + packed, "unknown_kind"
    yield "html and program", b"<!doctype html><p>hello</p>\0MZ", "unknown_kind"
    yield "word and excel", _both(letter, documents.sheets([("A", [[1, 2]])])), "read"


def _both(first: bytes, second: bytes) -> bytes:
    """Return an archive with the parts of two documents; of two of a name the first."""
    parts: dict[str, bytes] = {}
    for document in (first, second):
        with zipfile.ZipFile(io.BytesIO(document)) as source:
            parts = {**{name: source.read(name) for name in source.namelist()}, **parts}
    return documents.archive(parts)


def _zip(*entries: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, content in entries:
            packed.writestr(name, content)
    return target.getvalue()


def _zips() -> Iterator[Case]:
    yield "zip of nothing known", _zip(("a.txt", b"hello")), "unknown_kind"
    yield "zip with traversal", _zip(("../../etc/passwd", b"x"), ("/abs", b"y")), "unknown_kind"
    yield "cut zip", _zip(("word/document.xml", b"<x/>" * 1000))[:-40], "damaged"
    yield "zip of one magic", b"PK\x03\x04", "damaged"
    nested = _zip(("inner.zip", _zip(("inner.zip", _zip(("0", b"\0" * 20 * MEGABYTE))))))
    yield "zip in zip", nested, "unknown_kind"
    locked = bytearray(_zip(("word/document.xml", b"<x/>")))
    for at in (6, locked.find(b"PK\x01\x02") + 8):
        locked[at] |= 1
    yield "locked zip", bytes(locked), "encrypted"
    yield "entries that overlap", _overlapping(), "bomb"
    yield "zip whose sizes lie", _lying, "damaged"
    yield "only a content type", documents.archive({"[Content_Types].xml": _TYPES}), "unknown_kind"


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
_OUTSIDE = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>'


def _office() -> Iterator[Case]:
    parts = (
        ("docx", documents.word([("A", "text")]), "word/document.xml", "damaged"),
        ("pptx", documents.slides([("A", "text")]), "ppt/presentation.xml", "damaged"),
        ("xlsx", documents.sheets([("A", [[1, 2]])]), "xl/workbook.xml", "no_text"),
        ("epub", documents.book([("A", "text")]), "OEBPS/book.opf", "no_text"),
    )
    for kind, document, part, without_it in parts:
        outside = with_part(document, part, _OUTSIDE.encode())
        yield f"{kind} that asks for a file", outside, without_it
        yield f"{kind} with broken xml", with_part(document, part, b"<a><b></a>"), "damaged"
        yield f"{kind} with nothing inside", with_part(document, part, b""), "damaged"


def _pdfs() -> Iterator[Case]:
    yield "pdf of one line", b"%PDF-1.7\n", "damaged"
    yield "cut pdf", documents.pdf(["hello"])[:300], "damaged"
    yield "locked pdf", locked_pdf("hello", b"secret"), "encrypted"
    yield "scan", documents.scanned_pdf(), "scan"
    yield "empty page", documents.pdf([""]), "no_text"


_PAD = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def locked_pdf(text: str, password: bytes) -> bytes:
    """Return a PDF that opens with `password` alone: ISO 32000-1, 7.6.3, revision 2."""
    padded = (password + _PAD)[:32]
    owner = _rc4(_md5(padded)[:5], padded)
    key = _md5(padded + owner + struct.pack("<i", -4))[:5]
    content = f"BT /F1 12 Tf 50 780 Td ({text}) Tj ET".encode()
    content = _rc4(_md5(key + b"\5\0\0\0\0")[:10], content)
    head = f"<< /Length {len(content)} >>\nstream\n".encode()
    objects: list[str | bytes] = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
        "/Resources << /Font << /F1 3 0 R >> >> /Contents 5 0 R >>",
        head + content + b"\nendstream",
        f"<< /Filter /Standard /V 1 /R 2 /O <{owner.hex()}> /U <{_rc4(key, _PAD).hex()}> /P -4 >>",
    ]
    return documents.raw_pdf(objects, "/Encrypt 6 0 R ")


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _rc4(key: bytes, data: bytes) -> bytes:
    box, swap = list(range(256)), 0
    for at in range(256):
        swap = (swap + box[at] + key[at % len(key)]) % 256
        box[at], box[swap] = box[swap], box[at]
    told, one, two = bytearray(), 0, 0
    for letter in data:
        one = (one + 1) % 256
        two = (two + box[one]) % 256
        box[one], box[two] = box[two], box[one]
        told.append(letter ^ box[(box[one] + box[two]) % 256])
    return bytes(told)


def changed() -> Iterator[tuple[str, bytes]]:
    """Yield good documents with some of their bytes changed."""
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
            yield f"{kind}, changed {number}", bytes(data)
