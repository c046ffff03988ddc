"""llama.cpp's own server, built from the source that our binding vendors, to be measured against.

Built once, with the flags of our own engine, and kept in the user's cache. It takes 10 to 30
minutes on two cores: most of it is code that we do not use.
"""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import httpx

from allerac.engine.isolation import ENGINE_VARIABLES
from bootstrap.engine import FLAGS
from bootstrap.engine_source import REQUIREMENT, unpack_engine_source
from bootstrap.kept import part_of, shelf, touch
from bootstrap.steps import cache_folder, digest

KEPT_SERVERS: Final = 2
RULES: Final = {"temperature": 0.7, "top_k": 40, "top_p": 0.95, "min_p": 0.05}
START_SECONDS: Final = 120.0
END_SECONDS: Final = 20.0
LAST_BYTES: Final = 2000
SERVER_FLAGS: Final = (
    *(flag for flag in FLAGS if not flag.startswith(("-DLLAMA_BUILD", "-DLLAVA"))),
    "-DCMAKE_BUILD_TYPE=Release",
    "-DLLAMA_BUILD_COMMON=ON",
    "-DLLAMA_BUILD_TOOLS=ON",
    "-DLLAMA_BUILD_SERVER=ON",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_UI=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What both sides share: `cells` of memory for `sequences` at once, computed by `threads`."""

    model: Path
    cells: int
    sequences: int
    threads: int


def llama_server() -> Path:
    """Return the program, built when the cache has none for this source and these flags."""
    folder = cache_folder() / "llama-server" / digest([REQUIREMENT], *SERVER_FLAGS)[:16]
    with shelf(folder.parent, most=KEPT_SERVERS, of="llama-servers"):
        if not folder.is_dir():
            print("Building llama-server; it takes 10 to 30 minutes and is kept.", flush=True)
            _build(folder)
        touch(folder)
    return folder / "llama-server"


def _build(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="allerac-llama-server-") as name:
        scratch = Path(name)
        source = unpack_engine_source(scratch) / "vendor" / "llama.cpp"
        build = scratch / "build"
        generator = ["-G", "Ninja"] if shutil.which("ninja") else []
        for command in (
            ["cmake", *generator, "-S", str(source), "-B", str(build), *SERVER_FLAGS],
            ["cmake", "--build", str(build), "--target", "llama-server", "-j", _jobs()],
        ):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        part = part_of(folder)
        shutil.copytree(build / "bin", part, symlinks=True)
        part.rename(folder)


def _jobs() -> str:
    return str(os.cpu_count() or 1)


class LlamaServer:
    """A running server that answers on `port`."""

    def __init__(self, port: int, pid: int) -> None:
        self.pid = pid
        self._client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=None)  # noqa: S113 - cases have a deadline

    async def close(self) -> None:
        await self._client.aclose()

    async def stream(self, prompt: str, tokens: int, person: str = "") -> AsyncIterator[int]:
        """Yield how many tokens each event of an answer has brought; it knows no persons."""
        body = {
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": tokens,
            **RULES,
            "stream": True,
            "ignore_eos": True,
        }
        async with self._client.stream("POST", "/v1/chat/completions", json=body) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if (delta := _delta(line)) and delta.get("content"):
                    yield 1

    async def is_ready(self) -> bool:
        with suppress(httpx.HTTPError):
            return (await self._client.get("/health")).status_code == 200
        return False


def _delta(line: str) -> dict[str, Any]:
    if not line.startswith("data: {"):
        return {}
    choices = json.loads(line.removeprefix("data: ")).get("choices") or [{}]
    delta: dict[str, Any] = choices[0].get("delta") or {}
    return delta


@asynccontextmanager
async def running_llama_server(settings: ServerSettings) -> AsyncIterator[LlamaServer]:
    """Start the server at its best settings for many short streams, and end it afterwards.

    One pool of cells for all sequences, as ours; its cache of prompts in memory stays on. When it
    breaks off (`httpx.TransportError`), the last that it said is printed.
    """
    with tempfile.TemporaryFile() as log:
        try:
            async with _started(settings, log) as server:
                yield server
        except httpx.TransportError:
            log.seek(max(0, log.seek(0, os.SEEK_END) - LAST_BYTES))
            print(log.read().decode(errors="replace"), file=sys.stderr)
            raise


@asynccontextmanager
async def _started(settings: ServerSettings, log: IO[bytes]) -> AsyncIterator[LlamaServer]:
    port = _free_port()
    threads = str(settings.threads)
    program = await asyncio.to_thread(llama_server)
    process = await asyncio.create_subprocess_exec(
        str(program),
        *("--model", str(settings.model), "--port", str(port), "--host", "127.0.0.1"),
        *("--ctx-size", str(settings.cells), "--parallel", str(settings.sequences)),
        *("--threads", threads, "--threads-batch", threads, "--kv-unified", "--jinja"),
        *("--cache-prompt", "--cont-batching", "--no-webui"),
        env={
            **os.environ,
            **ENGINE_VARIABLES,
            "LD_LIBRARY_PATH": str(program.parent),
            "GGML_NO_BACKTRACE": "1",  # one that fails would wait for a debugger
        },
        stdout=log,
        stderr=asyncio.subprocess.STDOUT,
    )
    server = LlamaServer(port, process.pid)
    try:
        end = time.monotonic() + START_SECONDS
        while not await server.is_ready():
            if process.returncode is not None or time.monotonic() > end:
                raise RuntimeError("llama-server does not start")
            await asyncio.sleep(0.2)
        yield server
    finally:
        await server.close()
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), END_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
