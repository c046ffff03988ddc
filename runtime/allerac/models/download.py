"""Fetches one pinned file over HTTP, however often the line breaks."""

import asyncio
import errno
import fcntl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

import httpx
import structlog

from allerac.errors import AlleracError, Conflict, DownloadFailed, InsufficientDisk
from allerac.storage.threads import finish_in_thread

log = structlog.get_logger()

_REDIRECTS_LIMIT: Final = 5
_PROGRESS_BYTES: Final = 64 << 10  # an attempt that brought this much was not in vain
_MAGIC: Final = b"GGUF"
_TRANSIENT_STATUS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_TRY_LATER: Final = "Check the internet connection, then resume. What has arrived is kept."


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a bad line. `tries` counts attempts in a row that brought nothing."""

    tries: int = 6
    stall_seconds: float = 30.0
    backoff_seconds: float = 1.0
    backoff_limit_seconds: float = 30.0


@dataclass(slots=True)
class Transfer:
    """One file on its way to `part`. `etag` is that of the bytes already there."""

    url: str
    part: Path
    size_bytes: int
    etag: str | None
    on_bytes: Callable[[int], None]
    on_etag: Callable[[str | None], Awaitable[None]]
    bytes_per_second_limit: int | None = None


class _Interrupted(Exception):  # noqa: N818  it is caught here and never seen outside
    """The line broke; another attempt may succeed, after `wait_seconds` where the server said."""

    def __init__(self, message: str, wait_seconds: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.wait_seconds = wait_seconds


async def fetch(transfer: Transfer, patience: Patience) -> None:
    """Bring `transfer.part` to its full size; what is there already is continued.

    Raises `DownloadFailed` when the server has not got the file, offers another one, or nothing
    arrives in `patience.tries` attempts; `InsufficientDisk` when the disk is full; `Conflict` when
    another process writes the same file. Cancelling keeps what has arrived.
    """
    timeout = httpx.Timeout(patience.stall_seconds)
    with _exclusive(transfer.part) as file:
        async with httpx.AsyncClient(timeout=timeout, follow_redirects=False) as client:
            await _persist(client, transfer, file, patience)


async def _persist(
    client: httpx.AsyncClient, transfer: Transfer, file: BinaryIO, patience: Patience
) -> None:
    failures = 0
    furthest = file.seek(0, 2)
    while file.seek(0, 2) != transfer.size_bytes:
        try:
            await _attempt(client, transfer, file)
        except (httpx.TransportError, _Interrupted) as err:
            gained = file.seek(0, 2) - furthest
            failures = 0 if gained >= _PROGRESS_BYTES else failures + 1
            furthest += max(gained, 0)
            log.info("model_download_interrupted", reason=type(err).__name__, gained_bytes=gained)
            if failures >= patience.tries:
                raise DownloadFailed(_explain(err), hint=_TRY_LATER) from err
            await asyncio.sleep(_wait_seconds(err, failures, patience))
        except OSError as err:
            raise _disk_error(err, transfer, file) from err


async def _attempt(client: httpx.AsyncClient, transfer: Transfer, file: BinaryIO) -> None:
    """Make one request and write what it brings."""
    offset = file.seek(0, 2)
    if offset > transfer.size_bytes:
        offset = _restart(file)
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if transfer.etag and not transfer.etag.startswith("W/"):
            headers["If-Range"] = transfer.etag
    async with _open(client, transfer.url, headers) as response:
        offset = await _accept(response, transfer, file, offset)
        pace = _Pace(transfer.bytes_per_second_limit)
        async for chunk in response.aiter_raw():
            _check_chunk(chunk, offset, transfer)
            await finish_in_thread(partial(_write, file, chunk))
            offset += len(chunk)
            transfer.on_bytes(offset)
            await pace.hold(len(chunk))
    if offset < transfer.size_bytes:
        raise _Interrupted("The connection was cut.")


@asynccontextmanager
async def _open(
    client: httpx.AsyncClient, url: str, headers: dict[str, str]
) -> AsyncIterator[httpx.Response]:
    """Stream `url`, following redirects to https or, from plain http, to the same host."""
    target = httpx.URL(url)
    for _ in range(_REDIRECTS_LIMIT):
        async with client.stream("GET", target, headers=headers) as response:
            if not response.has_redirect_location:
                yield response
                return
            onward = _join(target, response.headers["location"])
        same_plain_host = target.scheme == "http" == onward.scheme and onward.host == target.host
        if onward.scheme != "https" and not same_plain_host:
            raise _refused("The server sends us to an address that is not secure.")
        target = onward
    raise _refused("The server sends us in circles.")


def _join(target: httpx.URL, location: str) -> httpx.URL:
    try:
        return target.join(location)
    except httpx.InvalidURL as err:
        raise _refused("The server sends us to an address that does not exist.") from err


async def _accept(response: httpx.Response, transfer: Transfer, file: BinaryIO, offset: int) -> int:
    """Judge the head of the response; returns where its first byte belongs."""
    if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise await _changed(transfer, file)
    _check_status(response)
    if "html" in response.headers.get("content-type", ""):
        raise _refused("The server answered with a web page instead of the model.")
    etag = response.headers.get("etag")
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        changed = None not in (etag, transfer.etag) and etag != transfer.etag
        if changed or _range_of(response) != (offset, transfer.size_bytes):
            raise await _changed(transfer, file)
        return offset
    length = response.headers.get("content-length")
    if length is not None and length != str(transfer.size_bytes):
        raise _refused("The server offers a file of another size than the catalogue promises.")
    _restart(file)
    transfer.etag = etag
    await transfer.on_etag(etag)
    return 0


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        return
    if status in _TRANSIENT_STATUS:
        retry_after = response.headers.get("retry-after", "")
        wait = float(retry_after) if retry_after.isdecimal() else None
        raise _Interrupted(f"The server is busy ({status}).", wait)
    if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        raise _refused("The model is no longer at its address.")
    raise _refused(f"The server refuses to hand out the model ({status}).")


def _check_chunk(chunk: bytes, offset: int, transfer: Transfer) -> None:
    if offset == 0 and not chunk.startswith(_MAGIC[: len(chunk)]):
        raise _refused("What the server sends is not a model.")
    if offset + len(chunk) > transfer.size_bytes:
        raise _refused("The server sends more than the catalogue promises.")


def _range_of(response: httpx.Response) -> tuple[int, int] | None:
    """Return (first byte, whole size) of a Content-Range (RFC 9110, section 14.4)."""
    unit, _, value = response.headers.get("content-range", "").partition(" ")
    span, _, total = value.partition("/")
    first, _, last = span.partition("-")
    if unit != "bytes" or not (first.isdecimal() and last.isdecimal() and total.isdecimal()):
        return None
    return int(first), int(total)


async def _changed(transfer: Transfer, file: BinaryIO) -> _Interrupted:
    """Drop what has arrived, since the rest would belong to another file."""
    _restart(file)
    transfer.etag = None
    await transfer.on_etag(None)
    return _Interrupted("The file changed while it was being fetched.", wait_seconds=0.0)


def _write(file: BinaryIO, chunk: bytes) -> None:
    """Write all of `chunk`; an unbuffered file may take less at once."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]


def _restart(file: BinaryIO) -> int:
    if file.seek(0, 2):
        file.truncate(0)
    return 0


def _refused(message: str) -> DownloadFailed:
    return DownloadFailed(message, hint="Choose another model, or import the file from a disk.")


def _explain(err: Exception) -> str:
    if isinstance(err, _Interrupted):
        return err.message
    if isinstance(err, httpx.ConnectError | httpx.ConnectTimeout):
        return "The server cannot be reached."
    if isinstance(err, httpx.TimeoutException):
        return "The server stopped sending."
    return "The connection was cut."


def _wait_seconds(err: Exception, failures: int, patience: Patience) -> float:
    if isinstance(err, _Interrupted) and err.wait_seconds is not None:
        return min(err.wait_seconds, patience.backoff_limit_seconds)
    wait: float = patience.backoff_seconds * 2.0 ** max(failures - 1, 0)
    return min(wait, patience.backoff_limit_seconds)


def _disk_error(err: OSError, transfer: Transfer, file: BinaryIO) -> AlleracError:
    if err.errno in (errno.ENOSPC, errno.EDQUOT):
        needed = transfer.size_bytes - file.tell()
        return InsufficientDisk(
            "The disk is full. What has arrived is kept.", needed_bytes=needed, available_bytes=0
        )
    return DownloadFailed("The disk refused to store the model.", hint="Check the disk.")


class _exclusive:  # noqa: N801  reads as a verb in its `with`
    """Opens the part file for appending, refused while another process has it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> BinaryIO:
        self._file = self._path.open("ab", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as err:
            self._file.close()
            raise Conflict(
                "This model is being fetched by another program on this machine.",
                hint="Wait for it to finish.",
            ) from err
        return self._file

    def __exit__(self, *_: object) -> None:
        self._file.close()


class _Pace:
    """Holds a transfer to a number of bytes a second."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._started = time.monotonic()
        self._bytes = 0

    async def hold(self, count: int) -> None:
        self._bytes += count
        if self._limit:
            due = self._started + self._bytes / self._limit
            await asyncio.sleep(max(0.0, due - time.monotonic()))
