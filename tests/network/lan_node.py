"""One machine on the test network: a box, or somebody who listens.

Reads commands from stdin and writes one answer to each on stdout, all as one line of JSON.
`python lan_node.py box '<identity as JSON>'` or `python lan_node.py listener`.
"""

import asyncio
import json
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog
from zeroconf import (  # type: ignore[attr-defined]
    AddressResolver,
    AddressResolverIPv6,
    DNSIncoming,
    IPVersion,
)
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from allerac.network.addresses import list_addresses
from allerac.network.announcer import Announcer
from allerac.network.identity import BoxIdentity

Command = dict[str, Any]
CHECK_SECONDS = 6.0
PORT = 8080


class Box:
    """A box that does as told."""

    def __init__(self) -> None:
        self._announcer = Announcer(port=PORT)

    async def start(self, command: Command) -> Any:
        options = {"check_seconds": CHECK_SECONDS} | command.get("options", {})
        self._announcer = Announcer(port=PORT, **options)
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
            "self_test": None if test is None else {"ok": test.ok, "reason": test.reason},
        }


class Listener:
    """Somebody else on the network, who asks with an empty memory and notes what is said."""

    def __init__(self) -> None:
        self._packets: list[tuple[str, bytes]] = []

    async def listen(self, command: Command) -> Any:
        """Note from now on what others send to the multicast groups."""
        packets = self._packets

        class Notes(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
                packets.append((str(addr[0]).partition("%")[0], data))

        loop = asyncio.get_running_loop()
        for receiver in _receivers():
            await loop.create_datagram_endpoint(Notes, sock=receiver)
        return None

    async def counts(self, command: Command) -> Any:
        """Return how many packets each address sent since `listen`, or since the last count."""
        counts: dict[str, int] = {}
        for sender, _ in self._packets:
            counts[sender] = counts.get(sender, 0) + 1
        self._packets.clear()
        return counts

    async def said(self, command: Command) -> Any:
        """Return each record heard as its name, type and time to live in seconds."""
        records = set()
        for _, data in self._packets:
            message = DNSIncoming(data)
            if message.is_response():
                records |= {(said.name, said.type, said.ttl) for said in message.answers()}
        return sorted(records)

    async def resolve(self, command: Command) -> Any:
        """Return the addresses of a host name in one version of IP, none when nobody answers."""
        version, ask = {
            4: (IPVersion.V4Only, AddressResolver),
            6: (IPVersion.V6Only, AddressResolverIPv6),
        }[command["version"]]
        try:
            async with AsyncZeroconf(ip_version=version) as asking:
                resolver = ask(command["host"] + ".")
                await resolver.async_request(asking.zeroconf, command["milliseconds"])
                return sorted(resolver.parsed_addresses(version))
        except OSError:  # an address that is still being tried
            return []

    async def service(self, command: Command) -> Any:
        """Return what a service says of itself, None when nobody answers."""
        async with AsyncZeroconf(ip_version=IPVersion.V4Only) as asking:
            info = AsyncServiceInfo(command["kind"], command["name"])
            if not await info.async_request(asking.zeroconf, 3000):
                return None
            return {"server": info.server, "port": info.port, "txt": info.decoded_properties}


def _receivers() -> list[socket.socket]:
    known = list_addresses()
    receivers = [_ipv4_receiver(known[0].ip)] if known else []
    if Path("/proc/net/if_inet6").read_text():
        receivers.append(_ipv6_receiver())
    return receivers


def _ipv4_receiver(own_address: str) -> socket.socket:
    receiver = _receiver(socket.AF_INET, "224.0.0.251")
    group = socket.inet_aton("224.0.0.251") + socket.inet_aton(own_address)
    receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    return receiver


def _ipv6_receiver() -> socket.socket:
    [index] = [index for index, name in socket.if_nameindex() if name != "lo"]
    receiver = _receiver(socket.AF_INET6, "ff02::fb", index)
    group = socket.inet_pton(socket.AF_INET6, "ff02::fb") + struct.pack("@I", index)
    receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    return receiver


def _receiver(family: socket.AddressFamily, group: str, index: int = 0) -> socket.socket:
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    scope = (0, index) if family == socket.AF_INET6 else ()
    receiver.bind((group, 5353, *scope))
    return receiver


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
