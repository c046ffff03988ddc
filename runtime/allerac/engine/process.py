"""The engine process as the runtime sees it: frames in and out, heard or silent, dead or alive.

On a developer's machine the runtime starts the process itself. On the box systemd does: it accepts
a connection, starts a process of another user in a sandbox of its own, and gives it the connection.
"""

import asyncio
import os
import socket
import sys
from abc import ABC, abstractmethod
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import allerac
from allerac.engine.isolation import ENGINE_VARIABLES, STATE_VARIABLE
from allerac.engine.wire import (
    FRAME_BYTES_LIMIT,
    LENGTH,
    Command,
    Report,
    decode_report,
    encode_command,
)

END_SECONDS: Final = 6.0
_STDERR_BYTES: Final = 4096
_PACKAGES: Final = str(Path(allerac.__file__).parents[1])

OnReport = Callable[[Report], None]


def child_environment(state_dir: Path | None = None) -> dict[str, str]:
    """All that an engine process that we start gets to see."""
    state = {} if state_dir is None else {STATE_VARIABLE: str(state_dir)}
    return {
        **state,
        **ENGINE_VARIABLES,
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "PYTHONPATH": _PACKAGES,
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class _Frames(asyncio.Protocol):
    """Cuts what arrives into reports, without a task switch per frame."""

    def __init__(self, on_report: OnReport) -> None:
        self._on_report = on_report
        self._buffer = bytearray()
        self._loop = asyncio.get_running_loop()
        self.heard_at = self._loop.time()
        self.has_spoken = False
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self.transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._loop.time()
        self.has_spoken = True
        self._buffer += data
        while (payload := self._frame()) is not None:
            try:
                report = decode_report(payload)
            except (ValueError, KeyError, TypeError):
                self._abort()
                return
            self._on_report(report)

    def _frame(self) -> bytes | None:
        if len(self._buffer) < LENGTH.size:
            return None
        (size,) = LENGTH.unpack_from(self._buffer)
        end = LENGTH.size + size
        if size > FRAME_BYTES_LIMIT:
            self._abort()
            return None
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[LENGTH.size : end])
        del self._buffer[:end]
        return payload

    def _abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class EngineProcess(ABC):
    """A running engine process, however it was started."""

    def __init__(self, frames: _Frames) -> None:
        self._frames = frames

    @property
    def pid(self) -> int | None:
        """The process's id where it is known."""
        return None

    @property
    def returncode(self) -> int | None:
        """The exit status once the process has ended, where it is known."""
        return None

    def send(self, command: Command) -> None:
        """Write `command`; what is lost with a dying process is noticed by its end."""
        if self._frames.transport is not None and not self._frames.closed.done():
            self._frames.transport.write(encode_command(command))

    def silence_seconds(self) -> float:
        return asyncio.get_running_loop().time() - self._frames.heard_at

    @property
    def has_spoken(self) -> bool:
        """Whether anything has been heard at all: until then it is starting."""
        return self._frames.has_spoken

    async def ended(self) -> None:
        """Return when the process has closed its end or exited."""
        await asyncio.shield(self._frames.closed)

    @abstractmethod
    async def end(self, grace_seconds: float = END_SECONDS) -> str:
        """Let the process finish, kill it after `grace_seconds`; returns the end of its stderr."""

    @abstractmethod
    def kill(self) -> None:
        """End the process at once."""


Launch = Callable[[OnReport], Awaitable[EngineProcess]]
"""Starts an engine process and hands its reports on. Raises OSError."""


def spawn_in(state_dir: Path) -> Launch:
    """Return what starts a process that keeps in `state_dir` what it has read."""

    async def start(on_report: OnReport) -> EngineProcess:
        return await spawn(on_report, state_dir)

    return start


async def spawn(on_report: OnReport, state_dir: Path | None = None) -> EngineProcess:
    """Start a process that dies with this one. Raises OSError."""
    ours, theirs = socket.socketpair()
    with theirs:
        loop = asyncio.get_running_loop()
        transport, frames = await loop.create_connection(lambda: _Frames(on_report), sock=ours)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "allerac.engine.child",
                str(theirs.fileno()),
                str(os.getpid()),
                pass_fds=[theirs.fileno()],
                env=child_environment(state_dir),
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=PIPE,
                start_new_session=True,
            )
        except BaseException:
            transport.abort()
            raise
    return SpawnedProcess(process, frames)


def connect_to(path: Path) -> Launch:
    """Return what gets a process by connecting to `path`; systemd starts one per connection."""

    async def connect(on_report: OnReport) -> EngineProcess:
        loop = asyncio.get_running_loop()
        _, frames = await loop.create_unix_connection(lambda: _Frames(on_report), str(path))
        return ConnectedProcess(frames)

    return connect


class SpawnedProcess(EngineProcess):
    """A child of this process."""

    def __init__(self, process: Process, frames: _Frames) -> None:
        super().__init__(frames)
        self._process = process
        self._stderr = b""
        self._stderr_task = asyncio.create_task(self._read_stderr())

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    async def end(self, grace_seconds: float = END_SECONDS) -> str:
        if self._frames.transport is not None:
            self._frames.transport.close()
        try:
            async with asyncio.timeout(grace_seconds):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
        await asyncio.wait({self._stderr_task})  # unlike a bare await, leaves it alone if cancelled
        return self._stderr.decode("utf-8", "replace").strip()

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()

    async def _read_stderr(self) -> None:
        stream = self._process.stderr
        while stream is not None and (data := await stream.read(_STDERR_BYTES)):
            self._stderr = (self._stderr + data)[-_STDERR_BYTES:]


class ConnectedProcess(EngineProcess):
    """Somebody else's child at the other end of a connection: to close it is to end the process.

    Its exit status and its stderr belong to whoever started it; systemd has both in its journal.
    """

    async def end(self, grace_seconds: float = END_SECONDS) -> str:
        transport = self._frames.transport
        if transport is not None and not self._frames.closed.done():
            transport.write_eof()
            # Its end closes when it is gone: the next one then has the memory for itself.
            await asyncio.wait({self._frames.closed}, timeout=grace_seconds)
        self.kill()
        await self.ended()
        return ""

    def kill(self) -> None:
        if self._frames.transport is not None:
            self._frames.transport.abort()
