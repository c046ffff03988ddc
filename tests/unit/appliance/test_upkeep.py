"""What surrounds the runtime follows it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from structlog.testing import capture_logs

from allerac.appliance.certificate import CertificateFolder
from allerac.appliance.upkeep import Upkeep
from allerac.appliance.view import BoxView, read_view

from .test_certificate import alternatives, certificate
from .test_screen import CLAIMED, UNCLAIMED

SECONDS = 20


class Box:
    """A box whose view and clock a test turns."""

    def __init__(self) -> None:
        self.view = UNCLAIMED
        self.now = datetime.now(UTC)

    def look(self) -> BoxView:
        return self.view


@asynccontextmanager
async def kept(box: Box, folder: Path, view_file: Path | None = None) -> AsyncIterator[Upkeep]:
    upkeep = Upkeep(
        look=box.look,
        certificates=CertificateFolder(folder / "tls"),
        view_file=view_file or folder / "console.json",
        clock=lambda: box.now,
        look_seconds=0.01,
    )
    await upkeep.start()
    try:
        yield upkeep
    finally:
        await upkeep.stop()


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not claim():  # noqa: ASYNC110 - a file has no event to wait for
            await asyncio.sleep(0.01)


def certified(folder: Path) -> tuple[list[str], list[str]]:
    return alternatives(certificate(folder)) if (folder / "tls/box.crt").exists() else ([], [])


async def test_screen_and_certificate_follow_the_box(tmp_path: Path) -> None:
    box = Box()
    file = tmp_path / "console.json"
    async with kept(box, tmp_path):
        await until(
            lambda: read_view(file) == UNCLAIMED and "allerac.local" in certified(tmp_path)[0]
        )
        box.view = CLAIMED
        await until(
            lambda: read_view(file) == CLAIMED and "kitchen.local" in certified(tmp_path)[0]
        )
        box.view = replace(CLAIMED, addresses=("10.0.0.9",))
        await until(lambda: "10.0.0.9" in certified(tmp_path)[1])
    assert not file.exists()


async def test_certificate_of_a_box_whose_clock_was_wrong_is_renewed_when_it_is_right(
    tmp_path: Path,
) -> None:
    box = Box()
    box.now = datetime(1970, 1, 1, tzinfo=UTC)
    async with kept(box, tmp_path):
        await until(lambda: certified(tmp_path)[0] != [])
        first = certificate(tmp_path)
        box.now = first.not_valid_after_utc + timedelta(days=100)
        await until(lambda: certificate(tmp_path) != first)
    assert certificate(tmp_path).not_valid_before_utc < box.now


async def test_folder_that_cannot_be_written_is_said_once_and_costs_nothing_else(
    tmp_path: Path,
) -> None:
    box = Box()
    missing = tmp_path / "missing" / "console.json"
    with capture_logs() as logs:
        async with kept(box, tmp_path, missing):
            await until(lambda: len(logs) > 0)
            for _ in range(20):
                await asyncio.sleep(0.01)
            missing.parent.mkdir()
            await until(lambda: read_view(missing) == UNCLAIMED)
    assert [entry["event"] for entry in logs].count("upkeep_failed") == 1


async def test_look_that_fails_does_not_end_the_looking(tmp_path: Path) -> None:
    box = Box()
    box.view = None  # type: ignore[assignment]  # stands for any defect
    with capture_logs() as logs:
        async with kept(box, tmp_path):
            await until(lambda: len(logs) > 0)
            box.view = UNCLAIMED
            await until(lambda: read_view(tmp_path / "console.json") == UNCLAIMED)
    assert logs[0]["event"] == "upkeep_failed"
