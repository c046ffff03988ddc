"""A network of machines on one bridge, each in a network namespace of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

NODE = Path(__file__).parent / "lan_node.py"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=10)  # noqa: S607  # fixed words


class Machine:
    """A process in a namespace with one or more legs on the bridge."""

    def __init__(self, lan: "Lan", namespace: str, role: str) -> None:
        self._lan = lan
        self.namespace = namespace
        self._ports: list[str] = []
        self.legs: list[str] = []
        self.addresses: list[str] = []
        _ip("netns", "add", namespace)
        _ip("-n", namespace, "link", "set", "lo", "up")
        self._role = role
        self._process: subprocess.Popen[str] | None = None

    def plug_in(self, *, ipv4: bool = True, ipv6: bool = False) -> None:
        """Add a leg, for IPv4 with an address of its own, for IPv6 with the one it gives itself."""
        number = self._lan.next_number()
        leg, port = f"e{number}", f"p{os.getpid() % 100000}x{number}"
        _ip("-n", self._lan.bridge, "link", "add", port, "type", "veth", "peer", "name", leg)
        _ip("-n", self._lan.bridge, "link", "set", leg, "netns", self.namespace)
        _ip("-n", self._lan.bridge, "link", "set", port, "master", "br0", "up")
        if ipv4:
            self.addresses.append(f"10.77.0.{number}")
            _ip("-n", self.namespace, "addr", "add", f"{self.addresses[-1]}/24", "dev", leg)
        mode = "eui64" if ipv6 else "none"
        _ip("-n", self.namespace, "link", "set", leg, "addrgenmode", mode)
        _ip("-n", self.namespace, "link", "set", leg, "up")
        self._ports.append(port)
        self.legs.append(leg)

    def add_ipv6(self, address: str, *more: str) -> None:
        """Give the first leg one more address, which it may use at once."""
        leg = self.legs[0]
        _ip("-n", self.namespace, "addr", "add", f"{address}/64", "dev", leg, "nodad", *more)

    def link_local(self, leg: int = 0) -> str:
        """Return the address that a leg gave itself."""
        shown = ["ip", "-n", self.namespace, "-j", "-6", "addr", "show", "dev", self.legs[leg]]
        found = json.loads(subprocess.run(shown, check=True, capture_output=True).stdout)
        [local] = [a["local"] for a in found[0]["addr_info"] if a["scope"] == "link"]
        return str(local)

    def move_cable(self, bridge: str) -> None:
        """Pull the first leg's cable and plug it in at another bridge; the address stays."""
        _ip("-n", self._lan.bridge, "link", "set", self._ports[0], "down")
        _ip("-n", self._lan.bridge, "link", "set", self._ports[0], "master", bridge)
        _ip("-n", self._lan.bridge, "link", "set", self._ports[0], "up")

    def unplug(self) -> None:
        """Take the first leg out of the machine."""
        _ip("-n", self.namespace, "link", "del", self.legs[0])

    def isolate(self) -> None:
        """Put the first leg on a bridge that has no other machine."""
        _ip("-n", self._lan.bridge, "link", "set", self._ports[0], "master", "br1")

    def join(self) -> None:
        """Put the first leg back on the bridge of all."""
        _ip("-n", self._lan.bridge, "link", "set", self._ports[0], "master", "br0")

    def move(self, address: str) -> None:
        """Take the first leg down and bring it up with `address`, as a DHCP lease does."""
        _ip("-n", self.namespace, "link", "set", self.legs[0], "down")
        _ip("-n", self.namespace, "addr", "flush", "dev", self.legs[0])
        _ip("-n", self.namespace, "addr", "add", f"{address}/24", "dev", self.legs[0])
        _ip("-n", self.namespace, "link", "set", self.legs[0], "up")
        self.addresses[0] = address

    def send(self, do: str, **arguments: Any) -> None:
        """Give an order without waiting for the answer."""
        if self._process is None:
            self._process = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace, sys.executable, str(NODE), self._role],  # noqa: S607  # found on PATH by every test here
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """Return the answer to the oldest order that has none yet."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the machine ended"
        return json.loads(line)

    def ask(self, do: str, **arguments: Any) -> Any:
        """Give an order and return its answer."""
        self.send(do, **arguments)
        return self.answer()

    def remove(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        subprocess.run(["ip", "netns", "del", self.namespace], check=False, timeout=10)  # noqa: S607  # fixed words


class Lan:
    """A bridge in a namespace of its own, and the machines on it."""

    def __init__(self, serial: int) -> None:
        self._prefix = f"allerac-{os.getpid()}-{serial}"
        self._numbers = count(10)
        self._machines: list[Machine] = []
        self.bridge = f"{self._prefix}-bridge"
        _ip("netns", "add", self.bridge)
        for bridge in ("br0", "br1"):
            _ip("-n", self.bridge, "link", "add", bridge, "type", "bridge", "mcast_snooping", "0")
            _ip("-n", self.bridge, "link", "set", bridge, "up")

    def next_number(self) -> int:
        return next(self._numbers)

    def machine(
        self, role: str, legs: int = 1, *, ipv4: bool = True, ipv6: bool = False
    ) -> Machine:
        """Return a new machine, plugged in."""
        machine = Machine(self, f"{self._prefix}-{len(self._machines)}", role)
        self._machines.append(machine)
        for _ in range(legs):
            machine.plug_in(ipv4=ipv4, ipv6=ipv6)
        return machine

    def remove(self) -> None:
        for machine in self._machines:
            machine.remove()
        subprocess.run(["ip", "netns", "del", self.bridge], check=False, timeout=10)  # noqa: S607  # fixed words


SERIALS = count()


@pytest.fixture
def lan() -> Iterator[Lan]:
    if shutil.which("ip") is None:
        pytest.skip("needs `ip`: apt install iproute2")
    trial = f"allerac-{os.getpid()}-trial"
    allowed = subprocess.run(["ip", "netns", "add", trial], check=False, capture_output=True)  # noqa: S607  # fixed words
    if allowed.returncode != 0:
        pytest.skip(f"network namespaces are not allowed: {allowed.stderr.decode().strip()}")
    _ip("netns", "del", trial)
    network = Lan(next(SERIALS))
    try:
        yield network
    finally:
        network.remove()
