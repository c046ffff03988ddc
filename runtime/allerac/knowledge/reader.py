"""Opens documents in a process of their own that is killed when it takes too much."""

import asyncio
import json
import os
import resource
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Final

import structlog

from allerac.engine.process import child_environment

from .reasons import REASONS, Unreadable

log = structlog.get_logger()

SILENT_SECONDS: Final = 90.0
"""Real time for a page; a process that waits is as useless as one that computes for ever."""
LINE_BYTES: Final = 64 * 1024
PICTURE_BYTES: Final = 32 * 1024 * 1024
CPU_SECONDS: Final = 60
"""For a page, or as much text where there are none."""
PAGE_CHARACTERS: Final = 3_000


@dataclass(frozen=True, slots=True)
class Found:
    """What the worker says: the kind, a page that begins, or a piece of text."""

    kind: str | None = None
    page: int = 0
    pages: int = 0
    piece: tuple[str, str, int | None, bool] | None = None


async def read_document(
    path: Path, *, silent_seconds: float = SILENT_SECONDS, cpu_seconds: int = CPU_SECONDS
) -> AsyncGenerator[Found, None]:
    """Yield what stands in the document at `path`. Raises `Unreadable`."""
    async with _worker(path, str(cpu_seconds)) as process:
        unpaid = 0
        while True:
            message = await _next_message(process, silent_seconds)
            if "failed" in message:
                raise Unreadable(_known(message["failed"]))
            if "done" in message:
                return
            found = _found(message)
            unpaid += len(found.piece[0]) if found.piece is not None else 0
            if found.page or unpaid >= PAGE_CHARACTERS:
                _grant(process.pid, cpu_seconds)
                unpaid = 0
            yield found


async def draw_page(path: Path, page: int, *, silent_seconds: float = SILENT_SECONDS) -> bytes:
    """Return a page of a PDF as PNG. Raises `Unreadable`."""
    async with _worker(path, str(CPU_SECONDS), str(page)) as process:
        try:
            async with asyncio.timeout(silent_seconds):
                data = await _output(process).read(PICTURE_BYTES)
                while more := await _output(process).read(PICTURE_BYTES):
                    data += more
                    if len(data) > PICTURE_BYTES:
                        break
        except TimeoutError as error:
            raise Unreadable("too_slow") from error
        if not data.startswith(b"\x89PNG"):
            raise Unreadable("damaged")
        return data


@asynccontextmanager
async def _worker(path: Path, *words: str) -> AsyncIterator[Process]:
    """Start a worker with the document at `path` open; it ends with the block."""
    try:
        document: BinaryIO = path.open("rb")
    except OSError as error:
        raise Unreadable("missing") from error
    with document, TemporaryDirectory(prefix="allerac-read-") as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "allerac.knowledge.worker",
            str(os.getpid()),
            *words,
            stdin=document,
            stdout=PIPE,
            stderr=DEVNULL,
            cwd=folder,
            env={**child_environment(), "TMPDIR": folder, "HOME": folder},
            limit=LINE_BYTES,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            # Not `wait`: asyncio sees no end of a process whose output is full and not read.
            await process.communicate()


async def _next_message(process: Process, silent_seconds: float) -> dict[str, Any]:
    try:
        async with asyncio.timeout(silent_seconds):
            line = await _output(process).readline()
    except TimeoutError as error:
        raise Unreadable("too_slow") from error
    except ValueError as error:  # a line longer than any that the worker writes
        raise Unreadable("crashed") from error
    if not line.endswith(b"\n"):
        status = await process.wait()
        log.info("document_worker_ended", status=status)
        raise Unreadable("too_slow" if status == -_CPU_SIGNAL else "crashed")
    try:
        message = json.loads(line)
    except ValueError as error:
        raise Unreadable("crashed") from error
    return message if isinstance(message, dict) else {"failed": "crashed"}


_CPU_SIGNAL: Final = 24  # SIGXCPU


def _found(message: dict[str, Any]) -> Found:
    match message:
        case {"kind": str(kind)}:
            return Found(kind=kind)
        case {"page": int(page), "of": int(pages)}:
            return Found(page=page, pages=pages)
        case {"text": [str(text), str(heading), page, bool(begins)]} if page is None or (
            isinstance(page, int)
        ):
            return Found(piece=(text, heading, page, begins))
        case _:
            raise Unreadable("crashed")


def _grant(pid: int, cpu_seconds: int) -> None:
    """Give the worker the time of another page."""
    try:
        used = _cpu_seconds(pid)
        _, hard = resource.prlimit(pid, resource.RLIMIT_CPU)
        resource.prlimit(pid, resource.RLIMIT_CPU, (min(used + cpu_seconds, hard), hard))
    except (OSError, ValueError):
        return  # it has just ended


def _cpu_seconds(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) // os.sysconf("SC_CLK_TCK") + 1


def _known(reason: object) -> str:
    return reason if isinstance(reason, str) and reason in REASONS else "crashed"


def _output(process: Process) -> asyncio.StreamReader:
    if process.stdout is None:
        raise Unreadable("crashed")
    return process.stdout
