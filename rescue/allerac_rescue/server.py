"""The page over HTTP, on a Unix socket behind the box's proxy."""

import hmac
import json
import secrets
import socket
import sys
import time
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from allerac_rescue import page
from allerac_rescue.acts import ACTS, ask_for, read_result, result_age
from allerac_rescue.codes import Door, TooManyGuesses
from allerac_rescue.facts import Facts, State, look, read_uptime
from allerac_rescue.places import Places
from allerac_rescue.programs import Programs
from allerac_rescue.words import Words, choose, load_words

FORM_BYTES = 4096
COOKIE = "allerac-rescue"
OPEN_SECONDS = 900.0
LOOK_SECONDS = 60.0
"""What was seen of the disk is looked at anew after that."""

LOG_LINES = "200"
LOG = ("journalctl", "--boot", "--no-pager", "--quiet", "--priority=info", "--output=short-iso")
POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


class Rescue:
    """What the requests share: the codes, who has given one, and the box around."""

    def __init__(self, places: Places, run: Programs) -> None:
        self.places = places
        self.run = run
        self.door = Door(places.codes)
        self.languages = load_words()
        self._open: dict[str, float] = {}

    def facts(self) -> Facts:
        """Look at the box."""
        return look(self.places, self.run, read_uptime(self.places))

    def log(self) -> str:
        """Return the last lines of the system's log."""
        told = self.run([*LOG, f"--lines={LOG_LINES}"])
        return told.text if told.ok else ""

    def let_in(self) -> str:
        """Return a cookie for someone who gave a code."""
        token = secrets.token_urlsafe(32)
        self._open = {known: end for known, end in self._open.items() if end > time.monotonic()}
        self._open[token] = time.monotonic() + OPEN_SECONDS
        return token

    def knows(self, token: str) -> bool:
        """Tell whether a cookie is one of ours that still holds."""
        now = time.monotonic()
        return any(hmac.compare_digest(token, a) and end > now for a, end in self._open.items())

    def close(self, token: str) -> None:
        """Let a cookie hold no longer."""
        self._open.pop(token, None)


class Handler(BaseHTTPRequestHandler):
    """One request; a page of its own for each path below /rescue/."""

    protocol_version = "HTTP/1.1"
    server: "RescueServer"
    timeout = 30

    def do_GET(self) -> None:
        """Show a page; whatever else was asked for is answered with how the box is."""
        path = urlsplit(self.path).path
        if path == "/rescue/style.css":
            self._send(page.STYLE.read_bytes(), kind="text/css", keep=True)
        elif path == "/rescue/status.json":
            self._send_status()
        elif path.startswith("/rescue/acts/") and self._is_open():
            self._show_act(path.rpartition("/")[2])
        elif path in {"/rescue", "/rescue/"}:
            self._show_tools() if self._is_open() else self._show_state(HTTPStatus.OK)
        else:
            self._stand_in()

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def do_POST(self) -> None:
        """Take a code, or do an act for someone who gave one."""
        path = urlsplit(self.path).path
        form = self._form()
        if form is None:
            return self._send(b"", HTTPStatus.BAD_REQUEST)
        if not self._comes_from_here():
            return self._send(b"", HTTPStatus.FORBIDDEN)
        if path == "/rescue/open":
            return self._open_door(form.get("code", ""))
        if not self._is_open():
            return self._redirect("/rescue/")
        if path == "/rescue/close":
            self.server.rescue.close(self._cookie())
            return self._redirect("/rescue/")
        if path.startswith("/rescue/acts/"):
            return self._do_act(path.rpartition("/")[2], form)
        return self._send(b"", HTTPStatus.NOT_FOUND)

    def _stand_in(self) -> None:
        """Answer for the runtime: it may just be on its way."""
        rescue, words = self.server.rescue, self._words()
        facts, status = rescue.facts(), HTTPStatus.SERVICE_UNAVAILABLE
        if facts.state in {State.WELL, State.NOTICE, State.WAKING}:
            return self._send(page.waking_page(words), status)
        form = page.code_form(words, has_lock=rescue.door.has_lock)
        return self._send(page.state_page(words, facts, form), status)

    def _show_state(self, status: HTTPStatus, complaint: str = "") -> None:
        rescue, words = self.server.rescue, self._words()
        form = page.code_form(words, complaint, rescue.door.has_lock)
        self._send(page.state_page(words, rescue.facts(), form), status)

    def _show_tools(self) -> None:
        rescue = self.server.rescue
        if result_age(rescue.places, "inspect") > LOOK_SECONDS:
            self._ask("inspect")
        found = read_result(rescue.places, "inspect")
        self._send(page.tools_page(self._words(), rescue.facts(), found, rescue.log()))

    def _show_act(self, name: str) -> None:
        act = ACTS.get(name)
        if act is None or not act.on_page:
            return self._show_state(HTTPStatus.NOT_FOUND)
        return self._send(
            page.result_page(self._words(), act, read_result(self.server.rescue.places, name))
        )

    def _send_status(self) -> None:
        facts = self.server.rescue.facts()
        told = {"state": facts.state.value, "findings": facts.findings}
        self._send(json.dumps(told).encode(), kind="application/json")

    def _open_door(self, code: str) -> None:
        rescue, words = self.server.rescue, self._words()
        try:
            if not rescue.door.opens(code[:64]):
                return self._show_state(HTTPStatus.FORBIDDEN, words("open.wrong"))
        except TooManyGuesses as error:
            minutes = -(-error.seconds // 60)
            told = words("open.wait", minutes=minutes)
            return self._show_state(HTTPStatus.TOO_MANY_REQUESTS, told)
        self._ask("inspect")
        secure = "; Secure" if self.headers.get("X-Forwarded-Proto") == "https" else ""
        rules = f"; Path=/rescue; HttpOnly; SameSite=Strict; Max-Age={OPEN_SECONDS:.0f}{secure}"
        return self._redirect("/rescue/", f"{COOKIE}={rescue.let_in()}{rules}")

    def _do_act(self, name: str, form: dict[str, str]) -> None:
        act, words = ACTS.get(name), self._words()
        if act is None or not act.on_page:
            return self._send(b"", HTTPStatus.NOT_FOUND)
        wrong_word = name == "factory-reset" and form.get("word") != words("act.word")
        if act.confirm and (form.get("sure") != "yes" or wrong_word):
            return self._send(page.confirm_page(words, act))
        if not self._ask(name):
            told = {"ok": False, "error": words("act.not_written")}
            return self._send(page.result_page(words, act, told), HTTPStatus.SERVICE_UNAVAILABLE)
        return self._redirect(f"/rescue/acts/{name}")

    def _ask(self, name: str) -> bool:
        try:
            ask_for(self.server.rescue.places, name)
        except OSError:
            return False
        return True

    def _comes_from_here(self) -> bool:
        """Tell whether a form is from this page: browsers say where a form comes from."""
        origin = self.headers.get("Origin")
        if origin is None:
            return self.headers.get("Sec-Fetch-Site", "same-origin") in {"same-origin", "none"}
        return urlsplit(origin).netloc == self.headers.get("Host")

    def _form(self) -> dict[str, str] | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > FORM_BYTES:
            self.close_connection = True
            return None
        text = self.rfile.read(int(length)).decode(errors="replace")
        return {name: values[0] for name, values in parse_qs(text, max_num_fields=8).items()}

    def _is_open(self) -> bool:
        return self.server.rescue.knows(self._cookie())

    def _cookie(self) -> str:
        try:
            found = SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
        except CookieError:
            return ""
        return found.value if found else ""

    def _words(self) -> Words:
        return choose(self.server.rescue.languages, self.headers.get("Accept-Language", ""))

    def _redirect(self, where: str, cookie: str = "") -> None:
        self._send(b"", HTTPStatus.SEE_OTHER, more={"Location": where, "Set-Cookie": cookie})

    def _send(
        self,
        body: bytes,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        kind: str = "text/html",
        keep: bool = False,
        more: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "max-age=3600" if keep else "no-store",
            "Content-Security-Policy": POLICY,
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-DNS-Prefetch-Control": "off",
            **(more or {}),
        }
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = "3"
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        """Tell nobody which Python this is."""
        return "allerac-rescue"

    def address_string(self) -> str:
        """Who asks is nobody's business; a Unix socket does not know it anyway."""
        return "-"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Keep no list of who asked for what."""


class RescueServer(ThreadingHTTPServer):
    """Serves on a socket that is already listening."""

    address_family = socket.AF_UNIX
    daemon_threads = True

    def __init__(self, listening: socket.socket, rescue: Rescue) -> None:
        super().__init__(("", 0), Handler, bind_and_activate=False)
        self.socket.close()  # of the library's making; the sandbox lets it make Unix sockets only
        self.socket = listening
        self.server_name, self.server_port = "allerac", 0
        self.rescue = rescue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave it when somebody hangs up; tell anything else on stderr, as the library does."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; peers of a Unix socket have no address."""
        connection, _ = self.socket.accept()
        return connection, ("-", 0)
