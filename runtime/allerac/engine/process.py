"""The engine process as the runtime sees it: frames in and out, heard or silent, dead or alive."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from pathlib import Path
from typing import Final

import allerac
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


def child_environment() -> dict[str, str]:
    """All that the engine process gets to see.

    GGML_NO_BACKTRACE: an abort otherwise waits minutes for a debugger. GOMP_SPINCOUNT: idle
    threads otherwise spin, and one busy neighbour costs nine tenths of the speed.
    """
    return {
        "GGML_NO_BACKTRACE": "1",
        "GOMP_SPINCOUNT": "1000",
        "OPENBLAS_NUM_THREADS": "1",
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "PYTHONPATH": _PACKAGES,
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class _Frames(asyncio.Protocol):
    """Cuts what arrives into reports, without a task switch per frame."""

    def __init__(self, on_report: Callable[[Report], None]) -> None:
        self._on_report = on_report
        self._buffer = bytearray()
        self._loop = asyncio.get_running_loop()
        self.heard_at = self._loop.time()
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


class EngineProcess:
    """A running child; make one with `spawn`."""

    def __init__(self, process: Process, frames: _Frames) -> None:
        self._process = process
        self._frames = frames
        self._stderr = b""
        self._stderr_task = asyncio.create_task(self._read_stderr())

    @classmethod
    async def spawn(cls, on_report: Callable[[Report], None]) -> "EngineProcess":
        """Start the process; it dies with this one. Raises OSError."""
        ours, theirs = socket.socketpair()
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
                env=child_environment(),
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=PIPE,
                start_new_session=True,
            )
        except BaseException:
            transport.abort()
            raise
        finally:
            theirs.close()
        return cls(process, frames)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    def send(self, command: Command) -> None:
        """Write `command`; what is lost with a dying process is noticed by its end."""
        if self._frames.transport is not None and not self._frames.closed.done():
            self._frames.transport.write(encode_command(command))

    def silence_seconds(self) -> float:
        return asyncio.get_running_loop().time() - self._frames.heard_at

    async def ended(self) -> None:
        """Return when the process has closed its end or exited."""
        await asyncio.shield(self._frames.closed)

    async def end(self, grace_seconds: float = END_SECONDS) -> str:
        """Let the process finish, kill it after `grace_seconds`; returns the end of its stderr."""
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
