"""Fetches metadata within limits of time and size, from a server that may be hostile."""

import http.client
import socket
import ssl
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock, Timer
from urllib.parse import urlsplit

from tuf.api.exceptions import DownloadError, DownloadHTTPError, SlowRetrievalError
from tuf.ngclient import FetcherInterface

from .listing import FetchLimits

CHUNK_BYTES = 64 * 1024


class CutError(DownloadError):
    """The answer ended before its announced length."""


@dataclass(slots=True)
class BoundedFetcher(FetcherInterface):
    """Reads plain files by HTTP and HTTPS; follows nobody elsewhere and asks no proxy.

    The time for all files together is bounded. A server that sends a byte now and then is cut off
    by closing the connection under the reader, in whatever phase it is.
    """

    limits: FetchLimits
    agent: str
    _ends_at: float = field(init=False)
    _lock: Lock = field(init=False, default_factory=Lock)
    _connection: http.client.HTTPConnection | None = field(init=False, default=None)
    _socket: socket.socket | None = field(init=False, default=None)
    _aborted: bool = field(init=False, default=False)
    _reading: Generator[bytes, None, None] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Begin to count."""
        self._ends_at = time.monotonic() + self.limits.total_seconds

    def abort(self) -> None:
        """End what is being read, from any thread; nothing more is begun."""
        with self._lock:
            self._aborted = True
            connection = self._connection
            for sock in (self._socket, connection.sock if connection else None):
                if sock is not None:
                    with suppress(OSError):
                        sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up on a server whose answer nobody read to the end."""
        if self._reading is not None:
            self._reading.close()

    def _fetch(self, url: str) -> Iterator[bytes]:
        """Return the file at `url`; raise `DownloadError`, its subclasses, `CutError`."""
        self._reading = self._chunks(url)
        return self._reading

    def _chunks(self, url: str) -> Generator[bytes, None, None]:
        left = self._ends_at - time.monotonic()
        if left <= 0 or self._aborted:
            raise SlowRetrievalError("the time is over")
        try:
            with self._guarded(left):
                yield from self._read(url, min(left, self.limits.silence_seconds))
        except TimeoutError as error:
            raise SlowRetrievalError(url) from error
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() >= self._ends_at:
                raise SlowRetrievalError(url) from error
            raise DownloadError(f"{url}: {error}") from error

    @contextmanager
    def _guarded(self, seconds: float) -> Iterator[None]:
        guard = Timer(seconds, self.abort)
        guard.daemon = True
        guard.start()
        try:
            yield
        finally:
            guard.cancel()

    def _read(self, url: str, timeout_seconds: float) -> Iterator[bytes]:
        with self._connected(url, timeout_seconds) as connection:
            parts = urlsplit(url)
            connection.request("GET", parts.path, headers={"User-Agent": self.agent})
            with connection.getresponse() as response:
                if response.status != http.HTTPStatus.OK:
                    raise DownloadHTTPError(f"{url}: status {response.status}", response.status)
                yield from self._body(response, url)

    def _body(self, response: http.client.HTTPResponse, url: str) -> Iterator[bytes]:
        announced, received = response.length, 0
        while chunk := response.read1(CHUNK_BYTES):
            received += len(chunk)
            yield chunk
        if self._aborted:
            raise SlowRetrievalError(url)
        if announced is not None and received < announced:
            raise CutError(f"{url}: {received} of {announced} bytes")

    @contextmanager
    def _connected(self, url: str, timeout_seconds: float) -> Iterator[http.client.HTTPConnection]:
        """Connect so that `abort` reaches it: the library lets go of its socket before the end."""
        connection = _connection_to(url, timeout_seconds)
        with self._lock:
            self._connection = connection
        try:
            connection.connect()
            with self._lock:
                self._socket = connection.sock
            if self._aborted:
                raise SlowRetrievalError(url)
            yield connection
        finally:
            with self._lock:
                self._connection = self._socket = None
            connection.close()


def _connection_to(url: str, timeout_seconds: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.netloc, timeout=timeout_seconds, context=context)
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.netloc, timeout=timeout_seconds)
    raise DownloadError(f"{parts.scheme} is no way to fetch updates")
