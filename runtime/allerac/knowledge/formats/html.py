"""HTML, and EPUB, which is HTML in a zip. Nothing that a page names is loaded."""

import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Final
from urllib.parse import unquote

import lxml.etree
import lxml.html

from allerac.knowledge.formats.libxml import ran_out_of_memory
from allerac.knowledge.formats.piece import Block, Page, Part
from allerac.knowledge.formats.sniff import decode
from allerac.knowledge.formats.text import path_of, under
from allerac.knowledge.reasons import Unreadable

MAX_CHAPTER_BYTES: Final = 32 * 1024 * 1024
_SKIPPED: Final = frozenset(
    {"script", "style", "noscript", "template", "svg", "math", "head", "nav", "form", "iframe"}
)
_BLOCKS: Final = frozenset(
    {"p", "li", "td", "th", "tr", "div", "section", "article", "blockquote", "pre", "dt", "dd"}
    | {"br", "table", "ul", "ol", "figure", "figcaption", "address", "main", "header", "footer"}
)
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_CONTAINER: Final = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_OPF: Final = "{http://www.idpf.org/2007/opf}"


def read_html(file: BinaryIO) -> Iterator[Part]:
    """Yield the paragraphs under their headings."""
    yield from _blocks(decode(file.read()))


def read_epub(file: BinaryIO) -> Iterator[Part]:
    """Yield the chapters in their order."""
    try:
        with zipfile.ZipFile(file) as archive:
            chapters = _chapters(archive)
            for number, name in enumerate(chapters, start=1):
                yield Page(number, len(chapters))
                yield from _blocks(decode(_member(archive, name)))
    except (zipfile.BadZipFile, KeyError, lxml.etree.XMLSyntaxError) as error:
        raise Unreadable("too_much_memory" if ran_out_of_memory(error) else "damaged") from error


def _blocks(text: str) -> Iterator[Part]:
    parser = lxml.html.HTMLParser(no_network=True, huge_tree=False, encoding="utf-8")
    try:
        root = lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError) as error:
        if ran_out_of_memory(error):
            raise Unreadable("too_much_memory") from error
        return
    walk = _Walk()
    for event, element in lxml.etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event == "start":
            yield from walk.enter(element)
        elif event == "end":
            yield from walk.leave(element)
        else:
            walk.words.append(element.tail or "")
    yield from walk.flush()


class _Walk:
    """Collects words until a block begins or ends."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._trail: list[tuple[int, str]] = []

    def enter(self, element: Any) -> Iterator[Part]:
        tag = element.tag
        if tag in _HEADINGS or tag in _BLOCKS:
            yield from self.flush()
        if tag in _HEADINGS:
            self._trail = under(self._trail, _HEADINGS[tag], _words_of(element))
        if not _is_hidden(element):
            self.words.append(element.text or "")

    def leave(self, element: Any) -> Iterator[Part]:
        if element.tag in _BLOCKS or element.tag in _HEADINGS:
            yield from self.flush()
        if not _is_hidden(element.getparent()):
            self.words.append(element.tail or "")

    def flush(self) -> Iterator[Part]:
        text = " ".join("".join(self.words).split())
        self.words.clear()
        if text:
            yield Block(text, path_of(self._trail))


def _is_hidden(element: Any) -> bool:
    while element is not None:
        if element.tag in _SKIPPED or element.tag in _HEADINGS:
            return True
        element = element.getparent()
    return False


def _words_of(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _chapters(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of the chapters, by the way that EPUB 3.3 prescribes."""
    container = _xml(_member(archive, "META-INF/container.xml"))
    package = container.find(f".//{_CONTAINER}rootfile").get("full-path", "")
    book = _xml(_member(archive, package))
    items = {item.get("id"): item.get("href", "") for item in book.iter(f"{_OPF}item")}
    folder = posixpath.dirname(package)
    names = [
        posixpath.normpath(posixpath.join(folder, unquote(items[reference.get("idref")])))
        for reference in book.iter(f"{_OPF}itemref")
        if reference.get("idref") in items
    ]
    known = set(archive.namelist())
    return [name for name in names if name in known]


def _xml(data: bytes) -> Any:
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    root = lxml.etree.fromstring(data, parser)
    if root is None:
        raise Unreadable("damaged")
    return root


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        data = member.read(MAX_CHAPTER_BYTES + 1)
    if len(data) > MAX_CHAPTER_BYTES:
        raise Unreadable("bomb")
    return data
