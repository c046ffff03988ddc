"""Whatever answers at an address, the station takes a certificate or says why not, and soon."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from allerac_factory.nearby import Announced, announced_at, fetch_certificate
from allerac_image.errors import BadInput

DOCUMENT: dict[str, Any] = {"certificate": {"serial": "ALR-VM-000001"}, "signature": "c2ln"}
GOOD = json.dumps(DOCUMENT).encode()

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answering(status: str, body: bytes, *headers: str) -> Talk:
    """Return what answers every request so."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return talk


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Read until the other side has gone."""
    await reader.read()


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send more than any certificate has."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" " * 65536)
        await writer.drain()


@asynccontextmanager
async def unit(talk: Talk) -> AsyncIterator[Announced]:
    """Serve on loopback as something that announced itself."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    async with server:
        yield Announced("0198c0de", ["127.0.0.1"], server.sockets[0].getsockname()[1])


async def test_certificate_is_fetched() -> None:
    async with unit(answering("200 OK", GOOD)) as found:
        assert await fetch_certificate(found) == DOCUMENT


async def test_address_that_leads_nowhere_leaves_the_next_one() -> None:
    async with unit(answering("200 OK", GOOD)) as found:
        both = Announced("0198c0de", ["127.0.0.2", "127.0.0.1"], found.port)
        assert await fetch_certificate(both) == DOCUMENT


@pytest.mark.parametrize(
    ("talk", "told"),
    [
        (answering("404 Not Found", b"{}"), "offers no certificate"),
        (answering("503 Unavailable", b"{}"), "503"),
        (answering("302 Found", b"", "Location: http://127.0.0.1/elsewhere"), "302"),
        (answering("200 OK", b"<html>"), "holds no birth certificate"),
        (answering("200 OK", b'{"certificate": []}'), "holds no birth certificate"),
        (answering("200 OK", b"[" * 100_000), "holds no birth certificate"),
        (endless, "is no certificate"),
    ],
)
async def test_unit_that_hands_out_something_else_is_refused(talk: Talk, told: str) -> None:
    async with unit(talk) as found:
        with pytest.raises(BadInput, match=told):
            await fetch_certificate(found, seconds=60)


async def test_unit_that_says_nothing_is_given_up() -> None:
    async with unit(silent) as found:
        with pytest.raises(BadInput, match="did not answer within"):
            await fetch_certificate(found, seconds=1.0)


async def test_unit_without_an_address_cannot_be_asked() -> None:
    with pytest.raises(BadInput, match="it has no address"):
        await fetch_certificate(Announced("0198c0de", [], 80))


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("169.254.7.1", "169.254.7.1", 80),
        ("169.254.7.1:8600", "169.254.7.1", 8600),
        ("fe80::1%eth0", "fe80::1%eth0", 80),
        ("[fe80::1%eth0]", "fe80::1%eth0", 80),
        ("[fe80::1%eth0]:8600", "fe80::1%eth0", 8600),
        ("allerac-k7qm.local", "allerac-k7qm.local", 80),
    ],
)
def test_address_is_understood_as_people_type_it(text: str, address: str, port: int) -> None:
    assert announced_at(text) == Announced("", [address], port)


@pytest.mark.parametrize("text", ["", ":80", "169.254.7.1:http", "[]:80", "[fe80::1]:x"])
def test_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no address"):
        announced_at(text)


async def test_name_that_cannot_be_asked_is_told_of() -> None:
    with pytest.raises(BadInput, match="cannot be asked"):
        await fetch_certificate(announced_at("not a name"))
