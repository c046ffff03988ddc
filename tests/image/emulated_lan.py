"""A network with the emulated box and one visitor on it, and no route to anywhere."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

VISITOR = Path(__file__).parent / "visitor.py"
TAP = "tap0"
VISITOR_ADDRESS = "169.254.77.1/16"
"""IPv4 link-local (RFC 3927): nobody on this network hands out addresses."""

UPDATES_FROM = "http://169.254.77.1:8300"
"""Where the tests' images ask for updates: at the visitor's, when it serves any."""


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=10)  # noqa: S607  # fixed words


class Visit:
    """Somebody on a network, in a process of their own; `prefix` puts a command there."""

    def __init__(self, prefix: Sequence[str]) -> None:
        self._prefix = prefix
        self._visitor: subprocess.Popen[str] | None = None

    def ask(self, do: str, **order: Any) -> Any:
        """Give the visitor an order and return the answer (see visitor.py)."""
        if self._visitor is None:
            self._visitor = subprocess.Popen(
                [*self._prefix, sys.executable, str(VISITOR)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        stdin, stdout = self._visitor.stdin, self._visitor.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"do": do, **order}) + "\n")
        stdin.flush()
        line = stdout.readline()
        assert line, "the visitor ended"
        return json.loads(line)

    def end(self) -> None:
        """Send the visitor away."""
        if self._visitor is not None:
            self._visitor.kill()
            self._visitor.communicate()


class EmulatedLan:
    """A namespace whose only link is the box's network card."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self._visit = Visit(self.prefix)
        _ip("netns", "add", namespace)
        _ip("-n", namespace, "link", "set", "lo", "up")
        _ip("-n", namespace, "tuntap", "add", "dev", TAP, "mode", "tap")
        _ip("-n", namespace, "addr", "add", VISITOR_ADDRESS, "dev", TAP)
        _ip("-n", namespace, "link", "set", TAP, "up")

    def listen(self) -> None:
        """Note from now on who announces an IPv4 address; `arp_accept` of Linux, ip-sysctl."""
        note = f"echo 1 > /proc/sys/net/ipv4/conf/{TAP}/arp_accept"
        subprocess.run([*self.prefix, "sh", "-c", note], check=True, timeout=10)

    def heard(self) -> list[str]:
        """Return the addresses that were announced, RFC 5227 2.3; that takes no service."""
        command = ["ip", "-n", self.namespace, "-json", "-4", "neigh", "show", "dev", TAP]
        told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=10)
        rows = json.loads(told.stdout or "[]")
        return [row["dst"] for row in rows if "lladdr" in row]

    @property
    def prefix(self) -> tuple[str, ...]:
        """The words in front of a command that make it run on this network."""
        return ("ip", "netns", "exec", self.namespace)

    def ask(self, do: str, **order: Any) -> Any:
        """Give the visitor an order and return the answer (see visitor.py)."""
        return self._visit.ask(do, **order)

    def remove(self) -> None:
        """Take the network down; whoever is still on it loses it."""
        self._visit.end()
        subprocess.run(["ip", "netns", "del", self.namespace], check=False, timeout=10)  # noqa: S607  # fixed words


@contextmanager
def emulated_lan() -> Iterator[EmulatedLan]:
    """A network for the time of a test."""
    lan = EmulatedLan(f"allerac-emulated-{os.getpid()}")
    try:
        yield lan
    finally:
        lan.remove()
