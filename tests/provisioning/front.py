"""The target's nginx in a network of its own, and a stand-in for the runtime."""

import http.client
import shlex
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer

from tests.provisioning.namespaces import inside

START_SECONDS = 20.0
UNIT = "etc/systemd/system/nginx.service"
WWW_DATA = 33
"""The same number on every Debian, /usr/share/base-passwd/passwd.master."""

AS_THE_UNIT = (
    *("setpriv", f"--reuid={WWW_DATA}", f"--regid={WWW_DATA}", "--clear-groups"),
    *("--inh-caps=-all,+net_bind_service", "--ambient-caps=-all,+net_bind_service"),
    "--bounding-set=-all,+net_bind_service",
)

ENTER = f"""
set -e
ip link set lo up
mount -t tmpfs tmpfs "$1/run"
mkdir "$1/run/allerac" "$1/run/nginx"
mount --bind "$2" "$1/run/allerac"
mount -t tmpfs tmpfs "$1/data"
mkdir -p "$1/data/allerac/tls"
mount --bind "$3" "$1/data/allerac/tls"
chgrp -R {WWW_DATA} "$3"
chmod g+s "$3"
mount -t tmpfs tmpfs "$1/var/lib/nginx"
chown {WWW_DATA}:{WWW_DATA} "$1/run/nginx" "$1/var/lib/nginx"
mount --rbind /dev "$1/dev"
exec chroot "$1" sleep infinity
"""
"""Arguments: root, folder of the runtime's socket, folder of the certificate."""


class FakeRuntime(ThreadingMixIn, UnixStreamServer):
    """Tells who asked; streams two events, the second when `go_on` is set."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.go_on = threading.Event()
        super().__init__(str(folder / "runtime.sock"), _Handler)
        (folder / "runtime.sock").chmod(0o666)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeRuntime

    def address_string(self) -> str:
        return "proxy"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if self.path.endswith("/events"):
            self._stream()
            return
        names = ("Host", "X-Forwarded-For", "X-Forwarded-Proto")
        body = "\n".join(f"{name}: {self.headers.get_all(name)}" for name in names).encode()
        self.send_response(200)
        self.send_header("Content-Security-Policy", "the runtime's")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")  # a stand-in that is gone answers nobody
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.server.go_on.wait(START_SECONDS)
        self.wfile.write(b"data: second\n\n")


@dataclass(frozen=True, slots=True)
class Answer:
    """What nginx said."""

    status: int
    headers: Message
    body: bytes


class Front:
    """nginx in the namespaces of `holder`, a process that waits."""

    def __init__(self, root: Path, holder: int, tls: Path) -> None:
        self._root = root
        self._holder = holder
        self._network = Path(f"/proc/{holder}/ns/net")
        self.tls = tls

    def start(self) -> None:
        """Do what the unit does: check, then start."""
        for command in self._commands("ExecStartPre", "ExecStart"):
            self._enter(command)

    def reload(self) -> None:
        """Do what the unit does for a new certificate."""
        for command in self._commands("ExecReload"):
            self._enter(command)

    def stop(self) -> None:
        self._enter(["nginx", "-e", "stderr", "-s", "stop"])

    def ask(self, path: str, **headers: str) -> Answer:
        """Ask over HTTP from 127.0.0.1; underscores in names of headers are dashes."""
        with self.asking(path, **headers) as answer:
            return Answer(answer.status, answer.headers, answer.read())

    @contextmanager
    def asking(self, path: str, **headers: str) -> Iterator[http.client.HTTPResponse]:
        """Ask, and read the answer as it comes."""
        connection = http.client.HTTPConnection("allerac.local", timeout=START_SECONDS)
        connection.sock = self.connect(80)
        with closing(connection):
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("GET", path, headers=names)
            with connection.getresponse() as answer:
                yield answer

    def handshake(self, **options: ssl.TLSVersion) -> ssl.SSLSocket:
        """Return a TLS connection that offers HTTP/2; the certificate is not looked at."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2", "http/1.1"])
        for name, value in options.items():
            setattr(context, name, value)
        with self.connect(443) as sock:  # the TLS socket takes over what it is made of
            return context.wrap_socket(sock)

    def connect(self, port: int, address: str = "127.0.0.1") -> socket.socket:
        """Return a connection made inside; waits for somebody to listen."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with inside(self._network):
                    return socket.create_connection((address, port), START_SECONDS)
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, f"nobody listens on {port}"

    def refuses(self, port: int) -> bool:
        with inside(self._network), socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", port)) != 0

    def _commands(self, *names: str) -> Iterator[list[str]]:
        for line in (self._root / UNIT).read_text().splitlines():
            name, _, command = line.partition("=")
            if name in names:
                yield shlex.split(command)

    def _enter(self, command: list[str]) -> None:
        enter = ["nsenter", f"--target={self._holder}", "--net", "--mount", "--root", "--wd=/"]
        subprocess.run(
            [*enter, *AS_THE_UNIT, *command],
            env={"PATH": "/usr/sbin:/usr/bin"},
            check=True,
            timeout=START_SECONDS,
            stdin=subprocess.DEVNULL,
        )


@contextmanager
def running_front(root: Path, sockets: Path, tls: Path) -> Iterator[Front]:
    """Make the namespaces, start nginx in them, and take all away at the end."""
    enter = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", ENTER, "sh"]
    holder = subprocess.Popen([*enter, root, sockets, tls])
    try:
        deadline = time.monotonic() + START_SECONDS
        while Path(f"/proc/{holder.pid}/root").resolve() != root:
            assert holder.poll() is None, "the namespaces could not be made"
            assert time.monotonic() < deadline
        front = Front(root, holder.pid, tls)
        front.start()
        try:
            yield front
        finally:
            front.stop()
    finally:
        holder.kill()
        holder.wait()
