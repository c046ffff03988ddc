"""An HTTP server that answers by a script: one entry for each request, whatever it says."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Step = bytes | asyncio.Event
"""Bytes to send, or an event to wait for before going on."""


@dataclass(slots=True)
class ScriptedServer:
    """What was asked, and what is going to be said."""

    url: str = ""
    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    scripts: deque[Sequence[Step]] = field(default_factory=deque)

    def plays(self, *steps: Step) -> None:
        """Add the script of the next request."""
        self.scripts.append(steps)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request, play one script, and hang up."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.requests.append((first, headers, json.loads(body) if body else None))
            for step in self.scripts.popleft() if self.scripts else ():
                if isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    writer.write(step)
                    await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # whoever asked has gone
        finally:
            writer.close()


@asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    """Serve on a free port of the loopback."""
    scripted = ScriptedServer()
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    scripted.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server:
        yield scripted


def status(code: int, body: bytes = b"{}") -> bytes:
    """A whole response."""
    head = f"HTTP/1.1 {code} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def chunk(**delta: Any) -> bytes:
    """A frame with one choice."""
    return frame({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def end(reason: str = "stop") -> bytes:
    """The frame that says why it ended."""
    return frame({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})


def frame(body: object) -> bytes:
    """A frame of a stream."""
    return f"data: {json.dumps(body)}\n\n".encode()
