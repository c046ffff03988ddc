"""The target's nftables with our rules, between two networks."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.provisioning.namespaces import cable, inside, ip

OPEN_TCP = {80, 443}
CLOSED_TCP = {22, 53, 5355, 8600}
CLOSED_UDP = {53, 68, 123, 5355}
MDNS = 5353
PATIENCE_SECONDS = 0.5
CLOSING_SECONDS = 60.0


@pytest.fixture(scope="module")
def sides(root: Path) -> Iterator[tuple[Path, Path]]:
    """The networks of a box behind the firewall, and of somebody at the other end of the cable."""
    with cable("box", "neighbour") as (box, neighbour):
        enter = ["nsenter", f"--net={box}", "chroot", str(root), "/usr/sbin/nft"]
        subprocess.run([*enter, "--check", "-f", "/etc/nftables.conf"], check=True, timeout=20)
        subprocess.run([*enter, "-f", "/etc/nftables.conf"], check=True, timeout=20)
        yield box, neighbour


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "10.78.0.1"), (socket.AF_INET6, "fd78::1")]
)
def test_only_the_web_is_reachable_of_everything_that_listens(
    sides: tuple[Path, Path], family: socket.AddressFamily, address: str
) -> None:
    box, neighbour = sides
    with ExitStack() as stack:
        for port in OPEN_TCP | CLOSED_TCP:
            with inside(box):
                listener = stack.enter_context(socket.socket(family))
            listener.bind((address, port))
            listener.listen()
        reached = set()
        for port in OPEN_TCP | CLOSED_TCP:
            with inside(neighbour):
                caller = stack.enter_context(socket.socket(family))
            caller.settimeout(PATIENCE_SECONDS)
            if caller.connect_ex((address, port)) == 0:
                reached.add(port)
    assert reached == OPEN_TCP


def test_only_multicast_dns_is_heard_of_what_is_sent(sides: tuple[Path, Path]) -> None:
    box, neighbour = sides
    heard = set()
    with ExitStack() as stack:
        listeners = {}
        for port in {MDNS} | CLOSED_UDP:
            with inside(box):
                listener = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            listener.bind(("10.78.0.1", port))
            listener.settimeout(PATIENCE_SECONDS)
            listeners[port] = listener
        with inside(neighbour):
            caller = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        for port in listeners:
            caller.sendto(b"hello", ("10.78.0.1", port))
        for port, listener in listeners.items():
            try:
                listener.recv(16)
            except TimeoutError:
                continue
            heard.add(port)
    assert heard == {MDNS}


def _reaches(sides: tuple[Path, Path], source: str) -> bool:
    """Tell whether somebody with the address `source` reaches port 22."""
    box, neighbour = sides
    address = "fd78::1" if ":" in source else "10.78.0.1"
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    with inside(box):
        listener = socket.socket(family)
    with inside(neighbour):
        caller = socket.socket(family)
    with listener, caller:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, 22))
        listener.listen()
        caller.bind((source, 0))
        caller.settimeout(PATIENCE_SECONDS)
        return caller.connect_ex((address, 22)) == 0


@pytest.fixture
def strangers(sides: tuple[Path, Path]) -> list[str]:
    """Addresses of elsewhere that are routed to the box all the same."""
    box, neighbour = sides
    found = ["203.0.113.2", "2001:db8::2"]
    for address in found:
        is_new = ":" in address
        whole = f"{address}/128" if is_new else f"{address}/32"
        flags = ["nodad"] if is_new else []
        ip("-n", neighbour.name, "addr", "replace", whole, "dev", "leg", *flags)
        ip("-n", box.name, "route", "replace", whole, "dev", "leg")
    return found


def test_a_port_that_is_opened_is_so_for_the_local_network_and_for_a_while(
    sides: tuple[Path, Path], root: Path, strangers: list[str]
) -> None:
    box, _ = sides
    nft = ["nsenter", f"--net={box}", "chroot", str(root), "/usr/sbin/nft"]
    opened = [*nft, "add element inet allerac opened { 22 timeout 5s }"]
    neighbours = ["10.78.0.2", "fd78::2"]
    assert [_reaches(sides, source) for source in neighbours] == [False, False]
    subprocess.run(opened, check=True, timeout=20)
    assert [_reaches(sides, source) for source in neighbours] == [True, True]
    assert [_reaches(sides, source) for source in strangers] == [False, False]
    listed = [*nft, "list", "set", "inet", "allerac", "opened"]
    deadline = time.monotonic() + CLOSING_SECONDS
    while "22" in subprocess.run(listed, capture_output=True, text=True, check=True).stdout:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert [_reaches(sides, source) for source in neighbours] == [False, False]


def test_the_box_itself_may_speak_to_others_and_hear_their_answers(
    sides: tuple[Path, Path],
) -> None:
    box, neighbour = sides
    with ExitStack() as stack:
        with inside(neighbour):
            listener = stack.enter_context(socket.create_server(("10.78.0.2", 8443)))
        with inside(box):
            caller = stack.enter_context(socket.create_connection(("10.78.0.2", 8443), 5))
        accepted, _ = listener.accept()
        with accepted:
            accepted.sendall(b"answer")
            assert caller.recv(16) == b"answer"
