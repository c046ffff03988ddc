"""The front door over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from allerac.updates.gate import HttpFrontDoor, Page

HERE = "127.0.0.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"


@asynccontextmanager
async def serving(answer: bytes | None) -> AsyncIterator[tuple[HttpFrontDoor, list[bytes]]]:
    """Answer every request so, or never."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        if answer is not None:
            writer.write(answer)
        else:
            await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, HERE, 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield HttpFrontDoor(port, silence_seconds=0.2), asked


async def test_it_is_asked_by_its_address_and_tells_what_it_served() -> None:
    async with serving(OK) as (door, asked):
        assert await door.get(HERE, "/healthz") == Page(200, "<html>")
        assert asked[0].startswith(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1")


@pytest.mark.parametrize("answer", [None, b"", b"SSH-2.0-OpenSSH\r\n", OK[:-3]])
async def test_silence_and_anything_but_http_is_nobody(answer: bytes | None) -> None:
    async with serving(answer) as (door, _):
        with pytest.raises(OSError, match=r".+"):
            await door.get(HERE, "/")


async def test_a_closed_door_is_nobody() -> None:
    async with serving(OK) as (door, _):
        pass
    with pytest.raises(ConnectionRefusedError):
        await door.get(HERE, "/")


async def test_an_endless_page_is_read_to_a_limit() -> None:
    async with serving(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000) as (door, _):
        assert len((await door.get(HERE, "/")).body) == 16 * 1024
