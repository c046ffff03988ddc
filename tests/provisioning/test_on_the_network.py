"""A box at one end of a cable and somebody at the other; there is no router and no DHCP."""

import http.client
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import pytest
from zeroconf import ServiceBrowser, ServiceInfo, ServiceStateChange, Zeroconf

from tests.fixed_address import FILE, fixed_connection
from tests.image.emulated_lan import Visit
from tests.provisioning.namespaces import inside, ip, join, network
from tests.provisioning.own_system import OwnSystem, running_system
from tests.provisioning.visited_system import VisitedSystem

SERVICE = "_allerac._tcp.local."
OWN_ADDRESS = "169.254.7.7"
PATIENCE_SECONDS = 120.0
CLOSED = (22, 53, 5355, 8600)
FIXED = "10.79.0.2"
LOOK = ("ip", "-json", "-4", "addr", "show", "dev", "lan0")
KEEP = f'umask 077; echo "$0" > /data/network/{FILE}'


@dataclass(frozen=True, slots=True)
class Link:
    """The box, the network at the other end, and what the box announced there."""

    box: OwnSystem
    neighbour: Path
    announced: ServiceInfo

    @property
    def address(self) -> str:
        """The box's own."""
        return self.announced.parsed_addresses()[0]


@pytest.fixture(scope="module")
def link(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Link]:
    with (
        running_system(root, tmp_path_factory.mktemp("system")) as box,
        network("neighbour") as neighbour,
    ):
        join(neighbour, str(box.pid), "lan0")
        ip("-n", neighbour.name, "addr", "add", f"{OWN_ADDRESS}/16", "dev", "lan0")
        yield Link(box, neighbour, _find(neighbour))


def _find(neighbour: Path) -> ServiceInfo:
    """Wait for a box to announce itself, as an app on a phone does."""
    found: SimpleQueue[str] = SimpleQueue()

    def heard(*, name: str, state_change: ServiceStateChange, **_: object) -> None:
        if state_change is ServiceStateChange.Added:
            found.put(name)

    with inside(neighbour):
        listener = Zeroconf(interfaces=[OWN_ADDRESS])
    with closing(listener):
        browser = ServiceBrowser(listener, SERVICE, handlers=[heard])
        name = found.get(timeout=PATIENCE_SECONDS)
        info = listener.get_service_info(SERVICE, name, timeout=10_000)
        browser.cancel()
    assert info is not None
    return info


def _connect(link: Link, port: int) -> socket.socket:
    with inside(link.neighbour):
        return socket.create_connection((link.address, port), timeout=2)


def _ask(link: Link, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(link.address, timeout=PATIENCE_SECONDS)
    connection.sock = _connect(link, 80)
    with closing(connection):
        connection.request("GET", path, headers={"Accept": "text/html"})
        with connection.getresponse() as answer:
            return answer.status, answer.read()


def test_it_gives_itself_an_address_and_announces_itself_with_it(link: Link) -> None:
    assert link.address.startswith("169.254.")
    assert link.announced.server is not None
    assert re.fullmatch(r"allerac(-[a-z0-9]{4})?\.local\.", link.announced.server)


def test_the_wizard_is_reached_under_that_address_and_nothing_else_is(link: Link) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := _ask(link, "/"))[0] != 200:  # announced a moment before it answers
        assert time.monotonic() < deadline, answer
        time.sleep(0.2)
    assert b"<title>Allerac</title>" in answer[1]
    _connect(link, 443).close()
    for port in CLOSED:
        with pytest.raises(TimeoutError):
            _connect(link, port)


def test_the_screen_tells_the_address(link: Link) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while link.address not in link.box.screen.read_text():
        assert time.monotonic() < deadline, link.box.screen.read_text()
        time.sleep(0.2)


def _addresses(box: OwnSystem) -> set[str]:
    """Return the IPv4 addresses that the box has at its cable."""
    told = subprocess.run(
        ["/usr/bin/nsenter", f"--net={box.network}", *LOOK],
        check=True,
        capture_output=True,
        timeout=10,
    )
    return {row["local"] for port in json.loads(told.stdout) for row in port["addr_info"]}


def _until_addressed(box: OwnSystem, start: str) -> str:
    """Wait until the box has one address, which begins so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = _addresses(box)
        if len(found) == 1 and (address := next(iter(found))).startswith(start):
            return address
        assert time.monotonic() < deadline, (found, box.ask("nmcli", "connection", "show"))
        time.sleep(0.2)


def test_a_fixed_address_is_forgotten_from_the_rescue_page_and_the_cable_works_by_itself(
    link: Link,
) -> None:
    box = link.box
    box.ask("sh", "-c", KEEP, fixed_connection(f"{FIXED}/24"))
    box.ask("nmcli", "connection", "reload")
    box.ask("nmcli", "connection", "up", "Fixed")
    assert _until_addressed(box, FIXED) == FIXED
    before = box.property("NetworkManager.service", "MainPID")
    ip("-n", link.neighbour.name, "addr", "add", "10.79.0.1/24", "dev", "lan0")
    person = VisitedSystem(box, Visit(("nsenter", f"--net={link.neighbour}")), FIXED)
    try:
        opened = person.request("POST", "/rescue/open", form={"code": person.claim_code()})
        assert opened["status"] == 303, opened
        asked = person.request("POST", "/rescue/acts/reset-network", form={"sure": "yes"})
        assert asked["status"] == 303, asked
    finally:
        person.visit.end()
    address = _until_addressed(box, "169.254.")
    assert box.ask("ls", "/data/network") == ""
    box.wait_for(("systemctl", "is-active", "NetworkManager.service"), "active")
    assert box.property("NetworkManager.service", "MainPID") != before
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (told := _find(link.neighbour).parsed_addresses()[0]) != address:
        assert time.monotonic() < deadline, told
