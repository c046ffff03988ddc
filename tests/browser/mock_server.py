"""The built application as a box serves it, over HTTP, so that the browser keeps what it may."""

import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

from allerac.api.guard import HEADERS
from allerac.api.web import IMMUTABLE

HOST = "kitchen.local"


class _Requests(BaseHTTPRequestHandler):
    """What a browser asks its proxy: files of the box at HOST; any other host is out of reach."""

    protocol_version = "HTTP/1.1"  # one connection for many requests
    wbufsize = -1  # head and body of an answer together
    disable_nagle_algorithm = True
    server: "_Server"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        path = unquote(address.path).lstrip("/")
        if address.netloc != HOST:
            self.send_error(HTTPStatus.BAD_GATEWAY, "There is nothing but the box")
        elif not path.startswith("assets/"):
            page = self.server.folder / path
            self._answer(page if page.is_file() else self.server.folder / "index.html", "no-cache")
        elif (file := self.server.folder / path).is_file():
            self._answer(file, IMMUTABLE)
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _answer(self, file: Path, caching: str) -> None:
        body = file.read_bytes()
        self.send_response(HTTPStatus.OK)
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        sent = {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": caching}
        for name, value in {**HEADERS, **sent}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
        """Say nothing: what fails is seen in the browser."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.folder = folder


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Be the proxy behind which all the world is a box with `folder` on it; yields its address."""
    with _Server(folder) as server:
        thread = Thread(target=server.serve_forever, name="mock box")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
