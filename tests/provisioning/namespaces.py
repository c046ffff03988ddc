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
def cable(first: str, second: str) -> Iterator[tuple[Path, Path]]:
    """Make two networks joined by one cable: 10.78.0.1 and fd78::1, 10.78.0.2 and fd78::2."""
    names = [f"{first}-{os.getpid()}", f"{second}-{os.getpid()}"]
    made: list[str] = []
    try:
        for name in names:
            ip("netns", "add", name)
            made.append(name)
            ip("-n", name, "link", "set", "lo", "up")
        peer = ("peer", "name", "leg", "netns", names[1])
        ip("-n", names[0], "link", "add", "leg", "type", "veth", *peer)
        for number, name in enumerate(names, 1):
            ip("-n", name, "addr", "add", f"10.78.0.{number}/24", "dev", "leg")
            ip("-n", name, "addr", "add", f"fd78::{number}/64", "dev", "leg", "nodad")
            ip("-n", name, "link", "set", "leg", "up")
        yield Path("/run/netns", names[0]), Path("/run/netns", names[1])
    finally:
        for name in made:
            ip("netns", "del", name)
