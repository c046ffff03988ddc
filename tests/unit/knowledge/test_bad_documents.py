"""Each bad document costs one file, little time, and gives a reason that people understand."""

import time
from pathlib import Path

import pytest

from allerac.knowledge.reader import read_document
from allerac.knowledge.reasons import REASONS, Unreadable
from tests.unit.knowledge.bad_documents import Case, cases

SECONDS = 30
CASES = cases()


async def outcome_of(path: Path) -> str:
    try:
        async for _ in read_document(path, silent_seconds=SECONDS):
            pass
    except Unreadable as error:
        return error.reason
    return "read"


def test_there_are_at_least_forty() -> None:
    assert len(CASES) >= 40


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=[name for name, _, _ in CASES])
async def test_bad_document_is_refused_with_a_reason(case: Case, tmp_path: Path) -> None:
    _, content, expected = case
    path = tmp_path / "document"
    path.write_bytes(content)
    began = time.monotonic()
    outcome = await outcome_of(path)
    assert outcome in expected
    assert outcome == "read" or REASONS[outcome].message.endswith(".")
    assert time.monotonic() - began < SECONDS


async def test_text_of_one_line_of_ten_megabytes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "line"
    path.write_bytes(b"word " * 2_000_000)
    assert await outcome_of(path) == "read"
