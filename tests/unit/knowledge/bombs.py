"""Documents that mean to take all of the time, the memory or the disk: name, content, the reason.

What takes long to make is made by whoever asks for it: every worker reads the list of tests.
"""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial

from tests import documents

Content = bytes | Callable[[], bytes]
Bomb = tuple[str, Content, str]

MEGABYTE = 1 << 20
DEEP, WIDE, LONG = 200_000, 10_000, 50_000

_DECLARED = '<?xml version="1.0"?><!DOCTYPE l [{entities}]><l>{use}</l>'
_LAUGHS = '<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">'
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
XML = {
    "laughing entities": _DECLARED.format(entities=_LAUGHS, use="&i;"),
    "one long entity, many times": _DECLARED.format(
        entities=f'<!ENTITY a "{"x" * LONG}">', use="&a;" * LONG
    ),
    "an entity that is itself": _DECLARED.format(entities='<!ENTITY a "&a;">', use="&a;"),
    "depth": "<l>" * DEEP + "</l>" * DEEP,
    "an endless name": f"<{'l' * 20 * MEGABYTE}/>",
    "attributes": "<l " + " ".join(f"a{at}='x'" for at in range(WIDE)) + "/>",
}
"""Ways for a part of XML to explode."""

_MAIN = {
    "docx": "word/document.xml",
    "pptx": "ppt/presentation.xml",
    "xlsx": "xl/workbook.xml",
    "epub": "OEBPS/book.opf",
}


def made(content: Content) -> bytes:
    """Return the bytes of a document, made now where that takes long."""
    return content if isinstance(content, bytes) else content()


def bombs() -> list[Bomb]:
    """Return all of them; the same in every run."""
    return [*_of_xml(), *_of_zip(), *_of_pdf()]


def _good() -> dict[str, bytes]:
    return {
        "docx": documents.word([("A", "text")]),
        "pptx": documents.slides([("A", "text")]),
        "xlsx": documents.sheets([("A", [[1, 2]])]),
        "epub": documents.book([("A", "text")]),
    }


def with_part(document: bytes, part: str, content: bytes) -> bytes:
    """Return a document of several parts with one of them replaced."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(document)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed,
    ):
        for name in source.namelist():
            packed.writestr(name, content if name == part else source.read(name))
    return target.getvalue()


def _of_xml() -> Iterator[Bomb]:
    for kind, document in _good().items():
        for way in XML:
            reason = "bomb" if way == "an endless name" else "damaged"
            if (kind, way) == ("epub", "attributes"):
                reason = "no_text"  # its list of chapters is empty
            yield f"{kind} with {way}", partial(_exploding, document, _MAIN[kind], way), reason


def _exploding(document: bytes, part: str, way: str) -> bytes:
    return with_part(document, part, XML[way].encode())


def _of_zip() -> Iterator[Bomb]:
    good = _good()
    for kind, document in good.items():
        huge = partial(_unpacking, document, _MAIN[kind])
        yield f"{kind} that unpacks to a thousandfold", huge, "bomb"
    yield "docx of twenty thousand parts", _many_parts, "bomb"
    yield "epub with a chapter of 33 MB", partial(_long_chapter, good["epub"]), "bomb"


def _unpacking(document: bytes, part: str) -> bytes:
    return with_part(document, part, b"\0" * 60 * MEGABYTE)


def _many_parts() -> bytes:
    return documents.archive({f"word/{at}": "" for at in range(20_500)})


def _long_chapter(book: bytes) -> bytes:
    return with_part(book, "OEBPS/c0.xhtml", _noise(33 * MEGABYTE))


def _noise(size: int) -> bytes:
    """Return text that packs to a tenth, as text does."""
    words = b" ".join(b"%d" % (at * 7919 % 100_003) for at in range(size // 6 + 1))
    return words[:size]


def _stream(data: bytes, filters: str) -> bytes:
    head = f"<< /Length {len(data)} /Filter {filters} >>\nstream\n".encode()
    return head + data + b"\nendstream"


def _page(content: bytes, more: str = "", box: str = "0 0 595 842") -> bytes:
    page = f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents 4 0 R {more}>>"
    pages = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return documents.raw_pdf(["<< /Type /Catalog /Pages 2 0 R >>", pages, page, content])


def _of_pdf() -> Iterator[Bomb]:
    yield "pdf of zeros, packed once", _zeros, "no_text"
    yield "pdf of zeros, packed twice", _zeros_packed_twice, "no_text"
    runs = _stream(b"\x81\0" * 2 * MEGABYTE + b"\x80", "/RunLengthDecode")
    yield "pdf of long runs", _page(runs), "no_text"
    yield "pdf of eight filters", _hexed, "no_text"
    itself = "/Resources << /XObject << /X 4 0 R >> >> "
    form = (
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 5 "
        b"/Resources << /XObject << /X 4 0 R >> >> >>\nstream\n/X Do\nendstream"
    )
    yield "pdf that draws itself", _page(form, itself), "scan"
    yield (
        "pdf as large as a town",
        _page(_stream(b"", "/FlateDecode"), box="0 0 1e9 1e9"),
        "no_text",
    )
    kids = {
        "that contain themselves": "[2 0 R] /Count 100000",
        "that are a hundred thousand": f"[{'3 0 R ' * 100_000}] /Count 100000",
        "that count to a thousand million": "[3 0 R] /Count 1000000000",
    }
    for way, tree in kids.items():
        objects = [
            "<< /Type /Catalog /Pages 2 0 R >>",
            f"<< /Type /Pages /Kids {tree} >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
        ]
        reason = "no_text" if "thousand million" in way else "too_many_pages"
        yield f"pdf of pages {way}", documents.raw_pdf(objects), reason
    loop = documents.raw_pdf(
        ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>"], "/Prev 9 "
    )
    yield "pdf whose tables lead to themselves", loop, "damaged"
    yield from _of_objects()
    brackets = _page(b"<< /Length 2000000 >>\nstream\n" + b"[" * 2_000_000 + b"\nendstream")
    yield "pdf of two million brackets", brackets, "no_text"


def _zeros() -> bytes:
    return _page(_stream(_packed_zeros(), "/FlateDecode"))


def _zeros_packed_twice() -> bytes:
    return _page(_stream(zlib.compress(_packed_zeros(), 9), "[/FlateDecode /FlateDecode]"))


def _packed_zeros() -> bytes:
    return zlib.compress(b"\0" * 200 * MEGABYTE, 9)


def _hexed() -> bytes:
    filters = "[" + "/ASCIIHexDecode " * 8 + "]"
    return _page(_stream(b"00" * 10 * MEGABYTE + b">", filters))


def _packed_objects() -> bytes:
    packed = zlib.compress(b"0 0 " + b"[" * 20 * MEGABYTE, 9)
    return _page(_stream(packed, "/FlateDecode /Type /ObjStm /N 1000000 /First 4"))


def _of_objects() -> Iterator[Bomb]:
    """Yield PDFs whose objects are packed into objects, or mean themselves."""
    yield "pdf of a million packed objects", _packed_objects, "no_text"
    itself = "<< /Length 4 0 R >>\nstream\nendstream"
    yield "pdf of a stream as long as itself", _page(itself.encode()), "no_text"
    words = "<< /Length 9 /Filter [" + "/FlateDecode " * 10_000 + "] >>\nstream\n\nendstream"
    yield "pdf of ten thousand filters", _page(words.encode()), "no_text"
    deep = b"<< /Length 1 /A " + b"<< /A " * LONG + b">> " * LONG + b">>\nstream\n \nendstream"
    yield "pdf of dictionaries in dictionaries", _page(deep), "no_text"
