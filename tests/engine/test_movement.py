"""A loop that is stuck is told from one that has nothing to do or waits for the disk."""

import mmap
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from allerac.engine.movement import Movement, pages_brought
from allerac.engine.protocol import Sampling
from bootstrap.steps import BUILD
from tests.engine.loop import WAIT_SECONDS, running_loop


@dataclass
class Seen:
    """What a loop looks like from outside."""

    idle: bool = False
    steps: int = 7
    pages: int = 3

    def movement(self) -> Movement:
        return Movement(
            is_idle=lambda: self.idle, steps=lambda: self.steps, pages=lambda: self.pages
        )


def test_loop_inside_the_same_step_does_not_move() -> None:
    moves = Seen().movement()
    assert [moves() for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize("what", ["steps", "pages"])
def test_loop_that_makes_a_step_or_gets_a_page_from_disk_moves(what: str) -> None:
    seen = Seen()
    moves = seen.movement()
    moves()
    for _ in range(3):
        setattr(seen, what, getattr(seen, what) + 1)
        assert moves()
    assert not moves()


def test_loop_without_work_moves() -> None:
    seen = Seen(idle=True)
    moves = seen.movement()
    assert [moves() for _ in range(3)] == [True] * 3
    seen.idle = False
    assert not moves()


def test_loop_that_is_stuck_while_it_measures_is_noticed_once_somebody_asks(
    tiny_path: Path,
) -> None:
    """Until then nobody waits for it."""
    with running_loop(tiny_path) as one:
        loop = one.scheduler
        moves = Movement(is_idle=loop.is_resting, steps=lambda: loop.steps, pages=lambda: 0)
        one.context.held_rows, one.context.heeds_abort = 100, False
        loop.calibrate(lambda _: None)
        assert one.context.is_held.wait(WAIT_SECONDS)
        assert [moves(), moves()] == [True, True]
        said = one.ask("Hi", Sampling(temperature=0.0, max_tokens=2))
        assert not moves()
        one.context.release()
        assert said.end().usage.completion_tokens == 2


@pytest.fixture
def folder_on_disk() -> Iterator[Path]:
    """Other folders of tests may be in memory."""
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        yield Path(folder)


def test_pages_from_disk_are_counted(folder_on_disk: Path) -> None:
    file = folder_on_disk / "weights"
    file.write_bytes(bytes(64 * mmap.PAGESIZE))
    with file.open("r+b") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        before = pages_brought()
        with mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            mapped.madvise(mmap.MADV_RANDOM)
            assert not any(mapped[at] for at in range(0, len(mapped), mmap.PAGESIZE))
    assert pages_brought() > before
