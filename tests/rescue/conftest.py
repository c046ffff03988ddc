"""The rescue page of a box below a folder, asked over its socket."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from allerac_rescue.places import Places
from tests.rescue.rescued_box import NotedPrograms, Visitor, lay_out, serving


@pytest.fixture
def programs() -> NotedPrograms:
    noted = NotedPrograms()
    noted.systemd_says("active")
    return noted


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return lay_out(tmp_path / "box")


@pytest.fixture
def visitor(places: Places, programs: NotedPrograms, tmp_path: Path) -> Iterator[Visitor]:
    path = tmp_path / "rescue.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen()
        with serving(listening, places, programs):
            yield Visitor(path)
