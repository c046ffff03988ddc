"""Small documents of every kind that the box reads, made for tests."""

import csv
import io
import zipfile
from collections.abc import Sequence

import docx
import openpyxl
import pptx


def pdf(pages: Sequence[str], *, encrypted: bool = False) -> bytes:
    """Return a PDF with a page for each text; a line of it for each of the text's."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(count))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for at, page in enumerate(pages):
        lines = "".join(f"({_escaped(line)}) Tj T* " for line in page.splitlines())
        content = f"BT /F1 12 Tf 14 TL 50 780 Td {lines}ET"
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * at} 0 R >>"
        )
        objects.append(
            f"<< /Length {len(content.encode('cp1252'))} >>\nstream\n{content}\nendstream"
        )
    if encrypted:
        zeros = "00" * 32
        objects.append(f"<< /Filter /Standard /V 1 /R 2 /O <{zeros}> /U <{zeros}> /P -4 >>")
    return _assembled(objects, f"/Encrypt {len(objects)} 0 R " if encrypted else "")


def raw_pdf(objects: Sequence[str | bytes], trailer: str = "") -> bytes:
    """Return a PDF of these objects, numbered from 1, the first of which is the catalogue."""
    return _assembled(objects, trailer)


def scanned_pdf() -> bytes:
    """Return a PDF whose one page is a picture."""
    picture = (
        b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray "
        b"/BitsPerComponent 8 /Length 1 >>\nstream\n\x00\nendstream"
    )
    content = "q 500 0 0 700 50 50 cm /Im1 Do Q"
    return _assembled(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            "/Resources << /XObject << /Im1 5 0 R >> >> /Contents 4 0 R >>",
            f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
            picture,
        ]
    )


def word(sections: Sequence[tuple[str, str]]) -> bytes:
    """Return a DOCX with a heading and paragraphs for each section."""
    document = docx.Document()
    for heading, text in sections:
        if heading:
            document.add_heading(heading, 1)
        for line in text.splitlines():
            document.add_paragraph(line)
    return _saved(document)


def slides(sections: Sequence[tuple[str, str]]) -> bytes:
    """Return a PPTX with a slide for each section."""
    presentation = pptx.Presentation()
    for heading, text in sections:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = heading
        slide.placeholders[1].text = text
    return _saved(presentation)


def sheets(tables: Sequence[tuple[str, Sequence[Sequence[object]]]]) -> bytes:
    """Return an XLSX with a sheet for each table."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in tables:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    return _saved(book)


def comma_separated(rows: Sequence[Sequence[object]]) -> bytes:
    """Return a CSV."""
    target = io.StringIO()
    csv.writer(target).writerows(rows)
    return target.getvalue().encode()


def page(sections: Sequence[tuple[str, str]]) -> bytes:
    """Return HTML with a heading and paragraphs for each section."""
    body = "".join(f"<h2>{heading}</h2><p>{text}</p>" for heading, text in sections)
    return f"<!doctype html><html><head><title>Notes</title></head><body>{body}</body>".encode()


def markdown(sections: Sequence[tuple[str, str]]) -> bytes:
    """Return Markdown with a heading and paragraphs for each section."""
    return "".join(f"# {heading}\n\n{text}\n\n" for heading, text in sections).encode()


def book(chapters: Sequence[tuple[str, str]]) -> bytes:
    """Return an EPUB with a chapter for each section."""
    names = [f"c{number}.xhtml" for number in range(len(chapters))]
    items = "".join(
        f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in names
    )
    spine = "".join(f'<itemref idref="{name}"/>' for name in names)
    files = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": (
            '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
            '<rootfiles><rootfile full-path="OEBPS/book.opf" '
            'media-type="application/oebps-package+xml"/></rootfiles></container>'
        ),
        "OEBPS/book.opf": (
            '<package version="3.0" xmlns="http://www.idpf.org/2007/opf">'
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
        ),
    }
    for name, (heading, text) in zip(names, chapters, strict=True):
        files[f"OEBPS/{name}"] = (
            '<html xmlns="http://www.w3.org/1999/xhtml"><body>'
            f"<h1>{heading}</h1><p>{text}</p></body></html>"
        )
    return archive(files)


def archive(files: dict[str, str] | dict[str, bytes]) -> bytes:
    """Return a zip of these files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return target.getvalue()


def _saved(document: object) -> bytes:
    target = io.BytesIO()
    document.save(target)  # type: ignore[attr-defined]  # docx, pptx and openpyxl ship no types
    return target.getvalue()


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _assembled(objects: Sequence[str | bytes], trailer: str = "") -> bytes:
    body, places = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(body))
        content = each if isinstance(each, bytes) else each.encode("cp1252")
        body += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}"
        f"trailer << /Size {size} /Root 1 0 R {trailer}>>\nstartxref\n{len(body)}\n%%EOF\n"
    )
    return body + end.encode()
