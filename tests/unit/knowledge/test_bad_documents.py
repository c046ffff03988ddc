"""Each bad document costs one file, little time, and gives a reason that people understand."""

from pathlib import Path

import pypdfium2
import pytest

from allerac.knowledge.reader import draw_page, read_document
from allerac.knowledge.reasons import REASONS, Unreadable
from tests.unit.knowledge.bad_documents import ANY_OF_CHANGED, cases, changed, locked_pdf
from tests.unit.knowledge.bombs import Bomb, bombs, made

SECONDS = 60
CASES, BOMBS, CHANGED = cases(), bombs(), list(changed())


async def outcome_of(path: Path) -> str:
    try:
        async for _ in read_document(path, silent_seconds=SECONDS):
            pass
    except Unreadable as error:
        return error.reason
    return "read"


def test_there_are_at_least_forty_bombs() -> None:
    assert len(BOMBS) >= 40


@pytest.mark.slow
@pytest.mark.parametrize("case", [*CASES, *BOMBS], ids=[name for name, *_ in [*CASES, *BOMBS]])
async def test_bad_document_is_refused_with_its_reason(case: Bomb, tmp_path: Path) -> None:
    _, content, expected = case
    path = tmp_path / "document"
    path.write_bytes(made(content))
    assert await outcome_of(path) == expected
    assert expected == "read" or REASONS[expected].message.endswith(".")


@pytest.mark.slow
@pytest.mark.parametrize("case", CHANGED, ids=[name for name, _ in CHANGED])
async def test_changed_document_is_read_or_refused_and_crashes_nothing(
    case: tuple[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "document"
    path.write_bytes(case[1])
    assert await outcome_of(path) in ANY_OF_CHANGED


@pytest.mark.slow
async def test_bomb_is_not_drawn_either(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(made(next(content for name, content, _ in BOMBS if "a town" in name)))
    with pytest.raises(Unreadable):
        await draw_page(path, 2)
    assert (await draw_page(path, 1)).startswith(b"\x89PNG")


async def test_locked_pdf_is_a_good_one_for_whoever_has_the_password() -> None:
    document = pypdfium2.PdfDocument(locked_pdf("hello", b"secret"), password="secret")  # noqa: S106
    assert "hello" in document[0].get_textpage().get_text_range()
    document.close()


async def test_text_of_one_line_of_ten_megabytes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "line"
    path.write_bytes(b"word " * 2_000_000)
    assert await outcome_of(path) == "read"
