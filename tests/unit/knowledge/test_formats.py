"""Every format is read: its kind by its content, its words, its headings and its pages."""

from collections.abc import Callable, Sequence
from pathlib import Path

import docx
import pytest

from allerac.knowledge.reader import Found, read_document
from tests import documents

SECTIONS = (("Heating", "The boiler is serviced in March."), ("Waste", "Glass goes to the bank."))
ROWS = (("what", "when"), ("bins", "Tuesday"), ("glass", "Friday"))
PIECES = [(text, heading, None) for heading, text in SECTIONS]
PAGED = [(text, heading, page) for page, (heading, text) in enumerate(SECTIONS, start=1)]
TABLE = ["what | when", "what: bins; when: Tuesday", "what: glass; when: Friday"]
PLAIN = "\n\n".join(text for _, text in SECTIONS)

Piece = tuple[str, str, int | None]

CASES: dict[str, tuple[bytes, Sequence[Piece], int]] = {
    "pdf": (
        documents.pdf([text for _, text in SECTIONS]),
        [(text, "", page) for text, _, page in PAGED],
        2,
    ),
    "docx": (documents.word(SECTIONS), PIECES, 0),
    "pptx": (
        documents.slides(SECTIONS),
        [
            piece
            for text, heading, page in PAGED
            for piece in ((text, heading, page), (heading, heading, page))
        ],
        2,
    ),
    "xlsx": (
        documents.sheets([("Bins", ROWS), ("Cats", [["name"], ["Tom"]])]),
        [*((row, "Bins", 1) for row in TABLE), ("name", "Cats", 2), ("name: Tom", "Cats", 2)],
        2,
    ),
    "csv": (documents.comma_separated(ROWS), [(row, "", None) for row in TABLE], 0),
    "html": (documents.page(SECTIONS), PIECES, 0),
    "md": (documents.markdown(SECTIONS), PIECES, 0),
    "txt": (PLAIN.encode(), [(text, "", None) for _, text in SECTIONS], 0),
    "epub": (documents.book(SECTIONS), PIECES, 2),
}


async def _read(path: Path) -> tuple[list[Found], list[Piece]]:
    found = [each async for each in read_document(path)]
    return found, [(each.piece[0], each.piece[1], each.piece[2]) for each in found if each.piece]


@pytest.mark.parametrize("kind", CASES)
async def test_format_is_read_by_its_content_under_any_name(kind: str, tmp_path: Path) -> None:
    content, wanted, pages = CASES[kind]
    path = tmp_path / ("document.txt" if kind == "pdf" else "document.pdf")
    path.write_bytes(content)
    found, pieces = await _read(path)
    assert found[0].kind == kind
    assert pieces == list(wanted)
    assert max(each.pages for each in found) == pages


def _word(path: Path) -> None:
    document = docx.Document()
    for level, title in ((1, "House"), (2, "Heating")):
        document.add_heading(title, level)
    document.add_paragraph("The boiler is serviced in March.")
    document.add_heading("Garden", 1)
    document.add_paragraph("Water the roses.")
    document.save(str(path))


def _markdown(path: Path) -> None:
    path.write_text(
        "# House\n\n## Heating\n\nThe boiler is serviced in March.\n\n"
        "# Garden\n\nWater the roses.\n"
    )


@pytest.mark.parametrize("write", [_word, _markdown])
async def test_heading_is_told_with_those_above_it(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    write(tmp_path / "document")
    _, pieces = await _read(tmp_path / "document")
    assert pieces == [
        ("The boiler is serviced in March.", "House › Heating", None),  # noqa: RUF001 - the sign is meant
        ("Water the roses.", "Garden", None),
    ]
