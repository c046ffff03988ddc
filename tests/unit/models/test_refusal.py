"""Downloads from a server that lies, refuses, or is not there."""

from pathlib import Path

import pytest

from .conftest import MODEL, Room, failure, open_room, pin_of
from .file_server import endless, respond, serving


@pytest.mark.parametrize("difference", [-1000, 1000])
async def test_wrong_length_is_refused_before_the_first_byte(room: Room, difference: int) -> None:
    room.server.script.append(room.server.declare(len(room.server.content) + difference))
    assert "another size" in (await failure(room))[1]
    assert room.part.stat().st_size == 0


async def test_web_page_is_refused(room: Room) -> None:
    page = b"<!doctype html><title>Sign in to the guest network</title>"
    room.server.script.append(respond("200 OK", page, Content_Type="text/html; charset=utf-8"))
    assert "web page" in (await failure(room))[1]


async def test_web_page_in_disguise_is_refused_early(room: Room) -> None:
    room.server.script.append(endless(b"<!doctype html>"))
    assert "not a model" in (await failure(room))[1]


async def test_body_that_does_not_end_is_refused(room: Room) -> None:
    room.server.script.append(endless(b"GGUF"))
    assert "more than the catalogue promises" in (await failure(room))[1]
    assert room.part.stat().st_size <= len(room.server.content)


async def test_right_size_but_wrong_content_is_refused(room: Room) -> None:
    content = room.server.content
    room.server.content = content[:-4] + b"evil"
    assert (await failure(room))[0] == "model_damaged"
    assert not room.part.exists()


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad", "503 Busy", "429 Slow down"])
async def test_server_that_recovers_is_asked_again(room: Room, status: str) -> None:
    room.server.script.extend([respond(status), respond(status, Retry_After="0")])
    await room.service.download(MODEL)
    assert (await room.settled()).state == "installed"


async def test_server_that_does_not_recover_ends_in_advice(room: Room) -> None:
    room.server.script.extend(respond("503 Busy") for _ in range(9))
    assert "busy (503)" in (await failure(room))[1]
    assert len(room.server.requests) == 3


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone", "403 Forbidden", "401 No"])
async def test_refusal_is_not_repeated(room: Room, status: str) -> None:
    room.server.script.append(respond(status))
    assert (await failure(room))[0] == "download_failed"
    assert len(room.server.requests) == 1


async def test_server_that_is_away_ends_in_advice(tmp_path: Path, content: bytes) -> None:
    async with serving(content) as server:
        pass
    room = await open_room(server, tmp_path, {MODEL: pin_of(content)})
    assert (await failure(room))[1] == "The server cannot be reached."
    await room.service.stop()


async def test_redirect_on_the_same_host_is_followed(room: Room) -> None:
    room.server.script.append(respond("302 Found", Location="/elsewhere/tiny.gguf"))
    await room.service.download(MODEL)
    assert (await room.settled()).state == "installed"
    assert room.server.requests[1].path == "/elsewhere/tiny.gguf"


@pytest.mark.parametrize(
    "location", ["http://192.0.2.1/tiny.gguf", "ftp://127.0.0.1/tiny", "file:///etc/passwd", "//["]
)
async def test_redirect_to_an_insecure_address_is_refused(room: Room, location: str) -> None:
    room.server.script.append(respond("302 Found", Location=location))
    assert "address" in (await failure(room))[1]


async def test_redirects_in_circles_are_refused(room: Room) -> None:
    room.server.script.extend(respond("302 Found", Location="/round") for _ in range(20))
    assert "circles" in (await failure(room))[1]
