"""The server of the emulated network sends what RAUC asks for, and counts it."""

import http.client
import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.image.update_server import BLOCK_BYTES
from tests.image.update_shelf import SERVER, UpdateShelf

SECONDS = 20
CONTENT = bytes(range(256)) * 16


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server of one file, and where it listens."""
    served = UpdateShelf(tmp_path).repository
    served.mkdir()
    for name in ("bundle", "next.raucb"):
        (served / name).write_bytes(CONTENT)
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        number = int(free.getsockname()[1])
    words = [SERVER, served, "127.0.0.1", number, tmp_path / "log"]
    server = subprocess.Popen([sys.executable, *map(str, words)], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    yield number
    server.kill()
    server.communicate()


def _ask(port: int, path: str, wanted: str = "") -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)) as connection:
        connection.request("GET", path, headers={"Range": wanted} if wanted else {})
        with connection.getresponse() as response:
            return response.status, response.read()


def _written(log: Path) -> dict[str, Any]:
    """Return the line, which is written when all was sent."""
    deadline = time.monotonic() + SECONDS
    while not (log.is_file() and log.read_text().endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    line: dict[str, Any] = json.loads(log.read_text())
    return line


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", (200, CONTENT)),
        ("bytes=10-19", (206, CONTENT[10:20])),
        ("bytes=4000-", (206, CONTENT[4000:])),
        ("bytes=4000-9999", (206, CONTENT[4000:])),
    ],
)
def test_what_is_sent_is_what_was_asked_for(
    port: int, tmp_path: Path, wanted: str, expected: tuple[int, bytes]
) -> None:
    assert _ask(port, "/bundle", wanted) == expected
    assert _written(tmp_path / "log")["bytes"] == len(expected[1])


def test_so_many_answers_that_bring_a_bundle_are_cut_off_and_no_more(
    port: int, tmp_path: Path
) -> None:
    (tmp_path / "cuts").write_text("1 3")
    lengths = []
    for _ in range(100):
        try:
            lengths.append(len(_ask(port, "/next.raucb")[1]))
        except http.client.IncompleteRead as cut:
            lengths.append(len(cut.partial))
    assert sum(length < len(CONTENT) for length in lengths) == 3
    assert _ask(port, "/bundle") == (200, CONTENT)


def test_one_bit_of_a_bundle_is_turned_over_where_it_is_read_and_back_again(
    port: int, tmp_path: Path
) -> None:
    shelf = UpdateShelf(tmp_path)
    whole = random.Random(1).randbytes(100 * BLOCK_BYTES)  # noqa: S311 - no secret
    (bundle,) = shelf.repository.rglob("*.raucb")
    bundle.write_bytes(whole)
    shelf.flip(1)
    for at in range(0, len(whole), 16 * BLOCK_BYTES):
        _ask(port, "/next.raucb", f"bytes={at}-{at + 16 * BLOCK_BYTES - 1}")
    assert _ask(port, "/next.raucb") == (200, whole), "who looks at the drive is left alone"
    for at in range(0, len(whole), BLOCK_BYTES):
        _ask(port, "/next.raucb", f"bytes={at}-{at + BLOCK_BYTES - 1}")
    seen = _ask(port, "/next.raucb")[1]
    assert [at for at, byte in enumerate(seen) if byte != whole[at]] == [shelf.flip_back()]
    assert _ask(port, "/next.raucb") == (200, whole)


def test_a_file_that_is_not_there_is_not_found(port: int) -> None:
    assert _ask(port, "/metadata/timestamp.json")[0] == 404
