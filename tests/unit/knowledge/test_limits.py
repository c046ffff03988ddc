"""What the process that opens documents may take: time for a page's worth, and half a gigabyte."""

import asyncio
import resource
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from allerac.knowledge.reader import CPU_SECONDS, PAGE_CHARACTERS, read_document
from allerac.knowledge.reasons import Unreadable
from tests import documents

FEW_SECONDS = 2
SECONDS = 20
FULL_SECONDS = 2.0
"""In which the worker has written as much as is kept for it."""

PARAGRAPH = "The boiler is serviced in March by the plumber from the village.\n\n"


async def _reason(path: Path, **limits: int) -> str:
    with pytest.raises(Unreadable) as refused:
        async for _ in read_document(path, **limits):
            pass
    return refused.value.reason


def _worker() -> psutil.Process:
    """Return the process that reads now."""
    (worker,) = (
        child
        for child in psutil.Process().children()
        if "allerac.knowledge.worker" in child.cmdline()
    )
    return worker


def _cpu_limit() -> int:
    """Return how many seconds the worker that reads now may take so far."""
    soft, _ = resource.prlimit(_worker().pid, resource.RLIMIT_CPU)
    return soft


@pytest.mark.slow
async def test_document_that_computes_without_end_is_stopped_as_too_slow(tmp_path: Path) -> None:
    path = tmp_path / "brackets.md"
    path.write_text("# Notes\n\n" + "[" * 400_000)  # each bracket might begin a link
    assert await _reason(path, cpu_seconds=FEW_SECONDS) == "too_slow"


@pytest.mark.slow
async def test_document_that_fills_half_a_gigabyte_is_refused_for_its_memory(
    tmp_path: Path,
) -> None:
    path = tmp_path / "long.html"
    path.write_bytes(b"<!doctype html><html><body>" + b"<p>a" * 8_000_000)
    assert await _reason(path) == "too_much_memory"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("txt", (PARAGRAPH * 20_000).encode()),
        ("md", b"# Notes\n\n" + (PARAGRAPH * 20_000).encode()),
        ("html", documents.page([("House", PARAGRAPH * 20_000)])),
        ("docx", documents.word([("House", PARAGRAPH * 500)])),
        ("csv", b"day,what\n" + b"Monday,The bins are emptied\n" * 20_000),
        ("xlsx", documents.sheets([("House", [["day", "what"], *[["Monday", "bins"]] * 9_000])])),
    ],
)
async def test_text_without_pages_gets_the_time_of_a_page_for_as_much_of_it(
    name: str, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    read = 0
    async with aclosing(read_document(path)) as reading:
        async for found in reading:
            read += len(found.piece[0]) if found.piece is not None else 0
            if read > 2 * PAGE_CHARACTERS:
                assert _cpu_limit() > CPU_SECONDS
                return
    pytest.fail("there was less to read than two pages' worth")


async def test_document_that_is_left_with_much_still_to_be_read_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text(PARAGRAPH * 20_000)
    reading = read_document(path)
    async for found in reading:
        if found.piece is not None:
            break
    await asyncio.sleep(FULL_SECONDS)
    async with asyncio.timeout(SECONDS):
        await reading.aclose()


async def test_page_that_has_not_begun_gets_no_time(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text(PARAGRAPH * 20_000)  # a worker that has said everything is no longer there
    async with aclosing(read_document(path)) as reading:
        async for found in reading:
            if found.kind is not None:
                assert _cpu_limit() == CPU_SECONDS
                return


async def test_document_whose_reader_is_killed_says_that_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text(PARAGRAPH * 20_000)

    async def read_and_kill() -> None:
        async for found in read_document(path):
            if found.kind is not None:
                _worker().kill()

    with pytest.raises(Unreadable, match=r"^crashed$"):
        await read_and_kill()
