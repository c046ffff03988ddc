"""The way to Debian's packages for a running system that has no other way out."""

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.provisioning.namespaces import inside
from tests.provisioning.own_system import OwnSystem

PORT = 3128
SILENCE_SECONDS = 60.0
AS_IT_IS = {"Accept-Encoding": "identity"}
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}
"""RFC 9110 7.6.1."""


class Forwarding(http.server.BaseHTTPRequestHandler):
    """Fetches what is asked for in absolute form, RFC 9112 3.2.2, and hands it on."""

    def do_GET(self) -> None:
        try:
            with httpx.stream("GET", self.path, headers=AS_IT_IS, timeout=SILENCE_SECONDS) as found:
                self.send_response(found.status_code)
                for name, value in found.headers.items():
                    if name.lower() not in HOP_BY_HOP:
                        self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                for piece in found.iter_raw():
                    self.wfile.write(piece)
        except httpx.HTTPError as error:
            self.send_error(502, type(error).__name__)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def apt_gateway(system: OwnSystem) -> Iterator[str]:
    """Listen inside the system's network and fetch from ours; yields apt's line for it."""
    with inside(system.network):
        listening = socket.create_server(("127.0.0.1", PORT))
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", PORT), Forwarding, bind_and_activate=False
    )
    server.socket.close()
    server.socket = listening
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="apt-gateway")
    thread.start()
    try:
        yield f'Acquire::http::Proxy "http://127.0.0.1:{PORT}";\n'
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
