"""The page and its acts on a data partition without one free byte, which is real."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from allerac_rescue.acts import perform, read_result
from allerac_rescue.facts import NARROW_BYTES
from allerac_rescue.places import Places
from tests.faults.own_disk import own_disk
from tests.rescue.rescued_box import LABEL, NotedPrograms, Visitor, lay_out, serving

SIZE = "160m"
DOWNLOAD_BYTES = 100 * 2**20
assert DOWNLOAD_BYTES > NARROW_BYTES


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """A box with a download that was never finished; no block of its data partition is free."""
    with own_disk(tmp_path / "disk", SIZE) as own:
        box = tmp_path / "box"
        box.mkdir()
        (box / "data").symlink_to(own.root)
        made = lay_out(box)
        for name, size in (("downloads/half", DOWNLOAD_BYTES), ("models/small.gguf", 1 << 20)):
            file = made.allerac / name
            file.parent.mkdir()
            file.write_bytes(bytes(size))
        with (made.allerac / "blobs").open("wb", buffering=0) as filling, suppress(OSError):
            while filling.write(bytes(1 << 12)):
                pass
        assert _free(made) == 0
        yield made


def _free(places: Places) -> int:
    told = os.statvfs(places.allerac)
    return told.f_bavail * told.f_frsize


@pytest.fixture
def dead(programs: NotedPrograms) -> NotedPrograms:
    """A runtime that cannot start for want of room."""
    programs.systemd_says("activating", restarts=7)
    return programs


@pytest.fixture
def visitor(places: Places, dead: NotedPrograms, tmp_path: Path) -> Iterator[Visitor]:
    path = tmp_path / "rescue.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen()
        with serving(listening, places, dead):
            yield Visitor(path)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "The disk is full. Free some space below."),
        ("de", "Die Platte ist voll. Schaffe unten Platz."),
    ],
)
def test_a_full_disk_is_the_first_thing_that_is_told(
    visitor: Visitor, language: str, told: str
) -> None:
    answer = visitor.get("/", language)
    assert answer.status == 503
    assert told in answer.text


def test_with_a_code_the_page_says_what_uses_the_disk_and_has_it_freed(
    visitor: Visitor, places: Places, dead: NotedPrograms
) -> None:
    assert visitor.post("/rescue/open", code=LABEL).status == 303
    assert perform("inspect", places, dead) == 0
    assert "Unfinished downloads" in visitor.get("/rescue/").text
    assert visitor.post("/rescue/acts/free-space", sure="yes").status == 303
    assert (places.requests / "free-space").exists(), "this is what starts the act"
    assert perform("free-space", places, dead) == 0
    assert read_result(places, "free-space") == {"ok": True, "freed": DOWNLOAD_BYTES}
    assert _free(places) == DOWNLOAD_BYTES
    assert (places.allerac / "models/small.gguf").exists()
    assert "The disk is full" not in visitor.get("/").text


def test_a_factory_reset_needs_no_room(places: Places, dead: NotedPrograms) -> None:
    assert perform("factory-reset", places, dead) == 0
    assert {entry.name for entry in places.allerac.iterdir()} == {"models"}
