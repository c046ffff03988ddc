"""Networks of their own for programs and sockets under test."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000
"""sched.h"""


@contextmanager
def inside(network: Path) -> Iterator[None]:
    """Let what this thread opens be in the network namespace at `network`; setns(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(network, os.O_RDONLY)
    try:
        if libc.setns(there, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {network}")
        try:
            yield
        finally:
            libc.setns(here, CLONE_NEWNET)
    finally:
        os.close(here)
        os.close(there)


def ip(*words: str) -> None:
    """Run `ip`."""
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)  # noqa: S607  # found on PATH by every test here


@contextmanager
def network(name: str) -> Iterator[Path]:
    """Make an empty network, called `name` and the number of this process."""
    name = f"{name}-{os.getpid()}"
    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "set", "lo", "up")
        yield Path("/run/netns", name)
    finally:
        ip("netns", "del", name)


def join(first: Path, second: str, port: str) -> None:
    """Join a named network and another (a name, or a process's number) by a cable.

    Its ends are called `port`; that in `first` is up.
    """
    peer = ("peer", "name", port, "netns", second)
    ip("-n", first.name, "link", "add", port, "type", "veth", *peer)
    ip("-n", first.name, "link", "set", port, "up")


@contextmanager
def cable(first: str, second: str) -> Iterator[tuple[Path, Path]]:
    """Make two networks joined by one cable: 10.78.0.1 and fd78::1, 10.78.0.2 and fd78::2."""
    with network(first) as one, network(second) as two:
        join(one, two.name, "leg")
        for number, name in enumerate((one.name, two.name), 1):
            ip("-n", name, "addr", "add", f"10.78.0.{number}/24", "dev", "leg")
            ip("-n", name, "addr", "add", f"fd78::{number}/64", "dev", "leg", "nodad")
            ip("-n", name, "link", "set", "leg", "up")
        yield one, two
