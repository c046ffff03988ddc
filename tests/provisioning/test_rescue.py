"""The rescue page behind the target's own nginx and systemd, with Allerac broken beneath it."""

import http.client
import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.provisioning.namespaces import inside
from tests.provisioning.own_system import OwnSystem, running_system

PATIENCE_SECONDS = 90.0
CLAIM_CODE = re.compile(r"[Cc]laim code:?\s+\S*([0-9A-Z]{4}-[0-9A-Z]{4})")
VENV, AWAY = "/opt/allerac/venv", "/opt/allerac/venv.away"


@pytest.fixture(scope="module")
def box(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnSystem]:
    with running_system(root, tmp_path_factory.mktemp("system")) as system:
        units = ("allerac.service", "allerac-rescue.service", "nginx.service")
        system.wait_for(("systemctl", "is-active", *units), "\n".join(["active"] * len(units)))
        yield system


class Person:
    """A browser on the box's network that keeps its cookie."""

    def __init__(self, box: OwnSystem) -> None:
        self._box = box
        self._cookie = ""

    def get(self, path: str) -> tuple[int, str]:
        return self._ask("GET", path, None)

    def post(self, path: str, **form: str) -> tuple[int, str]:
        return self._ask("POST", path, urlencode(form))

    def until(self, path: str, told: str) -> str:
        """Look at a page until it tells something."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while told not in (page := self.get(path)[1]):
            assert time.monotonic() < deadline, page
            time.sleep(0.5)
        return page

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", timeout=PATIENCE_SECONDS)
        with inside(self._box.network):
            connection.sock = socket.create_connection(("127.0.0.1", 80), PATIENCE_SECONDS)
        headers = {"Cookie": self._cookie, "Accept-Language": "en", "Accept": "text/html"}
        if body is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded"}
        with closing(connection):
            connection.request(method, path, body, headers)
            with connection.getresponse() as answer:
                self._cookie = (answer.getheader("Set-Cookie") or self._cookie).split(";")[0]
                return answer.status, answer.read().decode()


@pytest.fixture
def person(box: OwnSystem) -> Person:
    return Person(box)


@pytest.fixture
def helped(box: OwnSystem, person: Person) -> Person:
    """Somebody who typed the code that the box's screen shows."""
    return _let_in(box, person)


def _let_in(box: OwnSystem, person: Person) -> Person:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (shown := CLAIM_CODE.search(box.screen.read_text())) is None:
        assert time.monotonic() < deadline, box.screen.read_text()
        time.sleep(0.2)
    status, page = person.post("/rescue/open", code=shown.group(1))
    assert status == 303, page
    return person


def test_the_page_is_there_while_all_is_well(person: Person) -> None:
    status, page = person.get("/rescue/")
    assert status == 200
    assert "All is well" in page, page
    assert person.get("/")[0] == 200


def test_the_page_uses_next_to_nothing_and_has_no_rights(box: OwnSystem) -> None:
    pid = box.property("allerac-rescue.service", "MainPID")
    told = dict(
        line.split(":", 1)
        for line in box.ask("cat", f"/proc/{pid}/status").splitlines()
        if ":" in line
    )
    assert told["Uid"].split()[0] == "972"
    assert int(told["CapEff"], 16) == 0
    assert int(told["VmRSS"].split()[0]) < 64 * 1024


def test_without_its_environment_the_box_is_put_right_in_the_browser(
    box: OwnSystem, helped: Person
) -> None:
    box.ask("mv", VENV, AWAY)
    try:
        box.ask("systemctl", "kill", "--signal=SIGKILL", "allerac.service")
        page = helped.until("/", "Part of the system is missing")
        assert "Allerac does not answer" in page
        assert helped.get("/api/v1/status")[0] == 503
        assert "allerac" in helped.get("/rescue/")[1].split("<pre")[1]
    finally:
        box.ask("mv", AWAY, VENV)
    assert helped.post("/rescue/acts/restart")[0] == 303
    helped.until("/rescue/acts/restart", "Done.")
    helped.until("/", "<title>Allerac</title>")


def test_space_is_shown_and_freed(box: OwnSystem, person: Person) -> None:
    box.ask("install", "-d", "-o", "970", "-g", "970", "-m", "700", "/data/allerac/downloads")
    box.ask("dd", "if=/dev/urandom", "of=/data/allerac/downloads/half", "bs=1M", "count=3")
    helped = _let_in(box, person)
    page = helped.until("/rescue/", "Unfinished downloads")
    assert "free of" in page
    assert helped.post("/rescue/acts/free-space", sure="yes")[0] == 303
    assert "became free" in helped.until("/rescue/acts/free-space", "Done.")
    assert box.ask("ls", "/data/allerac/downloads") == ""


def test_a_look_that_is_cut_short_by_the_switch_has_not_failed(box: OwnSystem) -> None:
    look = "allerac-act-inspect.service"
    held = f"until pid=$(systemctl show -P MainPID {look}); [ $pid -gt 0 ]; do :; done"
    box.ask("sh", "-c", f"systemctl start --no-block {look}; {held}; kill -STOP $pid")
    box.ask("systemctl", "stop", look)
    assert box.ask("systemctl", "show", "-P", "Result", look).strip() == "success"


def test_without_its_database_the_page_answers(box: OwnSystem, helped: Person) -> None:
    box.ask("systemctl", "stop", "allerac.service")
    try:
        box.ask("mv", "/data/allerac/allerac.sqlite", "/data/allerac/away")
        page = helped.until("/", "Allerac is not running")
        assert 'name="code"' in page
    finally:
        box.ask("mv", "/data/allerac/away", "/data/allerac/allerac.sqlite")
        box.ask("systemctl", "start", "allerac.service")


def test_a_reset_that_was_cut_is_finished_before_the_runtime_starts(
    box: OwnSystem, person: Person
) -> None:
    box.ask("systemctl", "stop", "allerac.service")
    box.ask("touch", "/data/factory-reset", "/data/allerac/models/kept")
    box.ask("systemctl", "start", "allerac-act-finish-reset.service")
    assert set(box.ask("ls", "/data/allerac").split()) == {"models"}
    assert "kept" in box.ask("ls", "/data/allerac/models")
    box.ask("systemctl", "start", "allerac.service")
    person.until("/", "<title>Allerac</title>")
