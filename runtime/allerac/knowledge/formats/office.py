"""Word, PowerPoint and Excel of 2007 and later."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import docx
import openpyxl
import pptx

from allerac.knowledge.formats.libxml import ran_out_of_memory
from allerac.knowledge.formats.piece import Block, Page, Part
from allerac.knowledge.formats.text import path_of, table, under
from allerac.knowledge.reasons import Unreadable

MAX_ROWS: Final = 200_000
MAX_SLIDES: Final = 5_000


def read_docx(file: BinaryIO) -> Iterator[Part]:
    """Yield paragraphs and rows in their order, under their headings."""
    trail: list[tuple[int, str]] = []
    for item in _opened(docx.Document, file).iter_inner_content():
        if not hasattr(item, "style") or hasattr(item, "rows"):
            rows = ([cell.text for cell in row.cells] for row in item.rows)
            yield from table(rows, path_of(trail))
            continue
        level = _level(item)
        if level is not None:
            trail = under(trail, level, item.text.strip())
        elif item.text.strip():
            yield Block(item.text, path_of(trail))


def _level(paragraph: Any) -> int | None:
    style = paragraph.style
    name = (style.name or "") if style is not None else ""
    if name == "Title":
        return 0
    word, _, number = name.partition(" ")
    return int(number) if word == "Heading" and number.isdigit() else None


def read_pptx(file: BinaryIO) -> Iterator[Part]:
    """Yield what stands on each slide and in its notes; a slide is a page."""
    slides = list(_opened(pptx.Presentation, file).slides)
    if len(slides) > MAX_SLIDES:
        raise Unreadable("too_many_pages")
    for number, slide in enumerate(slides, start=1):
        yield Page(number, len(slides))
        title = slide.shapes.title
        heading = title.text_frame.text.strip() if title is not None else ""
        for shape in slide.shapes:
            if shape.has_text_frame and shape != title:
                yield Block(shape.text_frame.text, heading, number)
            elif getattr(shape, "has_table", False) and shape.has_table:
                rows = ([cell.text for cell in row.cells] for row in shape.table.rows)
                yield from table(rows, heading, number)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            yield Block(slide.notes_slide.notes_text_frame.text, heading, number)
        if heading:
            yield Block(heading, heading, number)


def read_xlsx(file: BinaryIO) -> Iterator[Part]:
    """Yield the rows of each sheet with the names of their columns; a sheet is a page."""
    book = _opened(_workbook, file)
    for number, sheet in enumerate(book.worksheets, start=1):
        yield Page(number, len(book.worksheets))
        rows = (
            ["" if value is None else str(value) for value in row]
            for row in sheet.iter_rows(values_only=True, max_row=MAX_ROWS)
        )
        yield from table(rows, sheet.title, number)


def _workbook(file: BinaryIO) -> Any:
    return openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)


def _opened(opener: Any, file: BinaryIO) -> Any:
    """Open a document; whatever the library stumbles over means that it is damaged."""
    try:
        return opener(file)
    except Exception as error:
        raise Unreadable("too_much_memory" if ran_out_of_memory(error) else "damaged") from error
