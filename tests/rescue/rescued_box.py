"""A box that is laid out below a folder, its rescue page, and who visits it."""

import base64
import hashlib
import http.client
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from allerac_rescue.codes import normalise
from allerac_rescue.places import Places
from allerac_rescue.programs import Told
from allerac_rescue.server import Rescue, RescueServer

LABEL, OWNER = "K7QM-4XWP", "ABCD-EFGH-JKLM-NPQR-STUV"


@dataclass
class NotedPrograms:
    """Answers as it was told to, and notes what was wanted."""

    answers: dict[str, Told] = field(default_factory=dict)
    wanted: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, words: Sequence[str], seconds: float = 5.0) -> Told:
        assert seconds > 0
        self.wanted.append(tuple(words))
        return self.answers.get(words[0], Told(0, ""))

    def systemd_says(self, active: str, restarts: int = 0, began_seconds: float = 1.0) -> None:
        lines = (
            f"ActiveState={active}",
            f"NRestarts={restarts}",
            f"InactiveExitTimestampMonotonic={began_seconds * 1e6:.0f}",
        )
        self.answers["systemctl"] = Told(0, "\n".join(lines))


@dataclass
class Answer:
    """What came back."""

    status: int
    text: str
    headers: dict[str, str]


class Visitor:
    """A browser: keeps the cookie, sends where a form comes from."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cookie = ""

    def get(self, path: str, language: str = "en") -> Answer:
        return self._ask("GET", path, None, {"Accept-Language": language})

    def post(self, path: str, origin: str = "http://kitchen.local", **form: str) -> Answer:
        told = {"Origin": origin, "Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, urlencode(form), told)

    def _ask(self, method: str, path: str, body: str | None, more: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection("kitchen.local", timeout=20)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(20)
        connection.sock.connect(str(self._path))
        try:
            connection.request(method, path, body, {"Cookie": self._cookie, **more})
            with connection.getresponse() as got:
                headers = {name.lower(): value for name, value in got.getheaders()}
                answer = Answer(got.status, got.read().decode(), headers)
        finally:
            connection.close()
        if "set-cookie" in answer.headers:
            self._cookie = answer.headers["set-cookie"].split(";")[0]
        return answer


def lay_out(root: Path) -> Places:
    """Return a box whose runtime is on board but does not answer."""
    made = Places(root)
    for folder in (made.allerac, made.requests, made.results, made.codes.parent):
        folder.mkdir(parents=True)
    made.environment.parent.mkdir(parents=True)
    made.environment.write_text("")
    made.environment.chmod(0o755)
    (made.root / "proc").mkdir()
    (made.root / "proc/uptime").write_text("600.00 900.00\n")
    made.codes.write_text(f"label:{_kept(LABEL)}\nowner:{_kept(OWNER)}\n")
    return made


def _kept(code: str) -> str:
    """Return the line of a code in its own form, at the least cost that scrypt has."""
    salt = b"of every code"
    digest = hashlib.scrypt(normalise(code).encode(), salt=salt, n=2, r=1, p=1, dklen=32)
    return "$".join(
        ["scrypt", "2", "1", "1", *(base64.b64encode(x).decode() for x in (salt, digest))]
    )


@contextmanager
def serving(listening: socket.socket, places: Places, programs: NotedPrograms) -> Iterator[None]:
    """Serve the page on a socket that listens."""
    server = RescueServer(listening, Rescue(places, programs))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
