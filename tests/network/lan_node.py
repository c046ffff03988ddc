"""One machine on the test network: a box, or somebody who listens.

Reads commands from stdin and writes one answer to each on stdout, all as one line of JSON.
`python lan_node.py box '<identity as JSON>'` or `python lan_node.py listener`.
"""

import asyncio
import json
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

import structlog
from zeroconf import AddressResolver, IPVersion  # type: ignore[attr-defined]
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from allerac.network import Announcer, BoxIdentity, list_addresses

Command = dict[str, Any]
CHECK_SECONDS = 6.0
PORT = 8080


class Box:
    """A box that does as told."""

    def __init__(self) -> None:
        self._announcer = Announcer(port=PORT, check_seconds=CHECK_SECONDS)

    async def start(self, command: Command) -> Any:
        if "check_seconds" in command:
            self._announcer = Announcer(port=PORT, check_seconds=command["check_seconds"])
        await self._announcer.start(BoxIdentity(**command["identity"]))
        return await self.status(command)

    async def update(self, command: Command) -> Any:
        await self._announcer.update(BoxIdentity(**command["identity"]))
        return await self.status(command)

    async def stop(self, command: Command) -> Any:
        await self._announcer.stop()
        return await self.status(command)

    async def status(self, command: Command) -> Any:
        test = self._announcer.self_test
        return {
            "names": self._announcer.names(),
            "conflict": self._announcer.conflict,
            "boxes": [asdict(box) for box in self._announcer.boxes()],
            "self_test": {"ok": test.ok, "reason": test.reason, "checked": bool(test.checked_at)},
        }


class Listener:
    """Somebody else on the network, who asks with an empty memory and counts packets."""

    def __init__(self) -> None:
        self._packets: list[tuple[float, str]] = []
        self._transport: asyncio.DatagramTransport | None = None

    async def listen(self, command: Command) -> Any:
        """Count from now on what others send to the multicast group."""
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        receiver.bind(("224.0.0.251", 5353))
        group = socket.inet_aton("224.0.0.251") + socket.inet_aton(list_addresses()[0].ip)
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        packets = self._packets

        class Counter(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
                packets.append((time.monotonic(), str(addr[0])))

        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(Counter, sock=receiver)
        return None

    async def counts(self, command: Command) -> Any:
        """Return how many packets each address sent since `listen`, or since the last count."""
        counts: dict[str, int] = {}
        for _, sender in self._packets:
            counts[sender] = counts.get(sender, 0) + 1
        self._packets.clear()
        return counts

    async def resolve(self, command: Command) -> Any:
        """Return the IPv4 addresses of a host name, none when nobody answers."""
        async with AsyncZeroconf(ip_version=IPVersion.V4Only) as asking:
            resolver = AddressResolver(command["host"] + ".")
            await resolver.async_request(asking.zeroconf, command["milliseconds"])
            return sorted(resolver.parsed_addresses(IPVersion.V4Only))

    async def service(self, command: Command) -> Any:
        """Return what a service says of itself, None when nobody answers."""
        async with AsyncZeroconf(ip_version=IPVersion.V4Only) as asking:
            info = AsyncServiceInfo(command["kind"], command["name"])
            if not await info.async_request(asking.zeroconf, 3000):
                return None
            return {"server": info.server, "port": info.port, "txt": info.decoded_properties}


async def obey(node: object) -> None:
    """Do what stdin says until it ends."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        act: Callable[[Command], Awaitable[Any]] = getattr(node, command["do"])
        answer = await act(command)
        sys.stdout.write(json.dumps(answer, default=str) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(obey(Box() if sys.argv[1] == "box" else Listener()))
