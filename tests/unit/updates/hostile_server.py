"""A server that cuts, stalls, trickles, never ends and sends what it likes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Answer = Callable[["Exchange", bytes], None]
"""Sends the file's bytes, in whatever way."""

CHUNK = b"x" * 4096


class Exchange:
    """One request, to be answered by an `Answer`."""

    def __init__(self, handler: BaseHTTPRequestHandler, ended: threading.Event) -> None:
        self._handler = handler
        self.ended = ended

    def begin(self, length: int | None) -> None:
        """Send the head; without a length the end of the connection ends the answer."""
        self._handler.send_response(200)
        if length is not None:
            self._handler.send_header("Content-Length", str(length))
        self._handler.end_headers()

    def send(self, content: bytes) -> None:
        """Send some of the body."""
        self._handler.wfile.write(content)


def whole(exchange: Exchange, content: bytes) -> None:
    """Answer as servers do."""
    exchange.begin(len(content))
    exchange.send(content)


def cut_after(share: float) -> Answer:
    """Hang up after so much of the body, 0 to less than 1."""

    def answer(exchange: Exchange, content: bytes) -> None:
        exchange.begin(len(content))
        exchange.send(content[: int(len(content) * share)])

    return answer


def stalled(exchange: Exchange, content: bytes) -> None:
    """Send half and then nothing."""
    exchange.begin(len(content))
    exchange.send(content[: len(content) // 2])
    exchange.ended.wait()


def trickled(exchange: Exchange, content: bytes) -> None:
    """Send a byte now and then, never silent for long."""
    exchange.begin(len(content))
    for position in range(len(content)):
        exchange.send(content[position : position + 1])
        if exchange.ended.wait(0.02):
            return


def endless(exchange: Exchange, content: bytes) -> None:
    """Send more than there is, without an end."""
    exchange.begin(None)
    exchange.send(content)
    while not exchange.ended.is_set():
        exchange.send(CHUNK)


class HostileServer:
    """Serves `folder`; `answers` says how for names that end so, `replaced` with which bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler, ended: threading.Event) -> None:
        """Answer one request."""
        self.asked.append(handler.path)
        path = self.folder / handler.path.lstrip("/")
        if not path.is_file():
            handler.send_error(404)
            return
        answer = next((how for end, how in self.answers.items() if path.name.endswith(end)), whole)
        answer(Exchange(handler, ended), path.read_bytes())


@contextmanager
def serving(folder: Path) -> Iterator[HostileServer]:
    """Serve on loopback."""
    hostile, ended = HostileServer(folder), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                hostile.answer(self, ended)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    hostile.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hostile
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
