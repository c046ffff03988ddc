"""How the box takes connections."""

import asyncio
import socket

import pytest

from allerac.errors import Unavailable
from allerac.serving import listen
from allerac.settings import Settings


async def test_what_is_sent_leaves_at_once() -> None:
    """Otherwise each event of an answer waits up to 40 ms for the one before."""
    taken: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        taken.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = listen(Settings(host="127.0.0.1", port=0))
    async with await asyncio.start_server(take, sock=listener) as server:
        address = server.sockets[0].getsockname()
        _, writer = await asyncio.open_connection(address[0], address[1])
        assert await taken
        writer.close()


def test_a_port_that_is_taken_is_said_with_another_to_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Unavailable) as caught:
            listen(Settings(host="127.0.0.1", port=port))
    assert f"ALLERAC_PORT={port + 1}" in caught.value.hint
