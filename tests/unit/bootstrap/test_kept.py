"""What slow builds leave for the next one, and how much of it."""

import multiprocessing
import os
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from bootstrap.kept import LEFTOVER_SECONDS, part_of, shelf, touch

DEADLINE_SECONDS = 20
SPAWN = multiprocessing.get_context("spawn")


def put(folder: Path, name: str, age_seconds: float) -> Path:
    """Put a kept folder with one file on the shelf, last used so long ago."""
    kept = folder / name
    kept.mkdir()
    (kept / "engine.whl").write_bytes(bytes(2_000_000))
    used = time.time() - age_seconds
    os.utime(kept, (used, used))
    return kept


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != ".lock"}


def test_what_was_used_longest_ago_goes_when_there_is_too_much(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for age, name in enumerate(("newest", "older", "oldest")):
        put(tmp_path, name, 60.0 * age)
    with shelf(tmp_path, most=2, of="engines"):
        pass
    assert names(tmp_path) == {"newest", "older"}
    said = "  Of kept engines, the 1 used longest ago are removed: 2 MB.\n"
    assert capsys.readouterr().out == said


def test_what_is_used_again_stays(tmp_path: Path) -> None:
    for age, name in enumerate(("newest", "older", "oldest")):
        put(tmp_path, name, 60.0 * age)
    with shelf(tmp_path, most=2, of="engines"):
        touch(tmp_path / "oldest")
    assert names(tmp_path) == {"newest", "oldest"}


def test_nothing_is_said_and_nothing_goes_while_there_is_room(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, "only", 1e9)
    with shelf(tmp_path, most=1, of="engines"):
        pass
    assert names(tmp_path) == {"only"}
    assert capsys.readouterr().out == ""


def test_a_part_that_a_killed_build_left_goes_after_a_day_and_one_under_way_stays(
    tmp_path: Path,
) -> None:
    left = put(tmp_path, ".abc.part1", LEFTOVER_SECONDS + 60)
    made = part_of(tmp_path / "abc")
    made.touch()
    with shelf(tmp_path, most=1, of="engines"):
        pass
    assert made.exists()
    assert not left.exists()


def test_nothing_is_removed_when_the_making_fails(tmp_path: Path) -> None:
    put(tmp_path, "one", 10.0)
    put(tmp_path, "two", 20.0)
    with pytest.raises(ZeroDivisionError), shelf(tmp_path, most=1, of="engines"):
        raise ZeroDivisionError
    assert names(tmp_path) == {"one", "two"}


def make_once(folder: Path, began: Event, go_on: Event) -> None:
    """Be a build that makes `made` unless it is there, and tells how often that was done."""
    with shelf(folder, most=9, of="engines"):
        began.set()
        assert go_on.wait(DEADLINE_SECONDS)
        made = folder / "made"
        if not made.exists():
            with (folder / ".count").open("a") as count:
                count.write("made\n")
            made.touch()


def test_of_two_builds_at_once_one_makes_it_and_the_other_waits_for_it(tmp_path: Path) -> None:
    began, go_on, second_began = SPAWN.Event(), SPAWN.Event(), SPAWN.Event()
    first = SPAWN.Process(target=make_once, args=(tmp_path, began, go_on))
    second = SPAWN.Process(target=make_once, args=(tmp_path, second_began, go_on))
    first.start()
    assert began.wait(DEADLINE_SECONDS)
    second.start()
    assert not second_began.wait(0.5)
    go_on.set()
    for build in (first, second):
        build.join(DEADLINE_SECONDS)
        assert build.exitcode == 0
    assert (tmp_path / ".count").read_text() == "made\n"
