"""A file server on loopback that misbehaves as told, one behaviour a request."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Handler = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    """What the client asked for; header names are in lower case."""

    path: str
    headers: dict[str, str]

    @property
    def offset(self) -> int:
        """First byte of the range that was asked for, 0 for the whole."""
        value = self.headers.get("range", "bytes=0-")
        return int(value.removeprefix("bytes=").removesuffix("-"))


@dataclass(slots=True)
class FileServer:
    """Serves `content`; requests take `script` in order, then `otherwise`."""

    content: bytes
    etag: str | None = '"one"'
    script: deque[Handler] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)
    seen: asyncio.Condition = field(default_factory=asyncio.Condition)
    url: str = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            async with self.seen:
                self.requests.append(request)
                self.seen.notify_all()
            handler = self.script.popleft() if self.script else self.serve
            await handler(request, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def requested(self, count: int) -> None:
        """Wait until `count` requests have come."""
        async with self.seen:
            await self.seen.wait_for(lambda: len(self.requests) >= count)

    async def serve(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Answer as a good server does."""
        await self.send(request, writer)

    async def send(
        self,
        request: Request,
        writer: asyncio.StreamWriter,
        *,
        upto: int | None = None,
        content: bytes | None = None,
        declared: int | None = None,
    ) -> None:
        """Send head and bytes up to `upto`, of `content`, declaring a size of `declared`."""
        content = self.content if content is None else content
        offset = request.offset
        if request.headers.get("if-range", self.etag) != self.etag:
            offset = 0
        total = len(content) if declared is None else declared
        head = {"Content-Length": str(total - offset), "Content-Type": "application/octet-stream"}
        if self.etag:
            head["ETag"] = self.etag
        status = "200 OK"
        if offset:
            status = "206 Partial Content"
            head["Content-Range"] = f"bytes {offset}-{total - 1}/{total}"
        write_head(writer, status, head)
        writer.write(content[offset:upto])

    def cut_after(self, upto: int) -> Handler:
        """Close the connection once the byte `upto` of the file is sent."""

        async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
            await self.send(request, writer, upto=upto)

        return handler

    def stall_after(self, upto: int) -> Handler:
        """Send up to the byte `upto`, then nothing more, until the client gives up."""

        async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
            await self.send(request, writer, upto=upto)
            await writer.drain()
            await asyncio.Event().wait()

        return handler

    def ignore_range(self, *, upto: int | None = None) -> Handler:
        """Send the whole whatever was asked for."""

        async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
            await self.send(Request(request.path, {}), writer, upto=upto)

        return handler

    def change_to(self, content: bytes, etag: str | None) -> Handler:
        """Serve another file from this request on."""

        async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
            self.content, self.etag = content, etag
            await self.send(request, writer)

        return handler

    def declare(self, size_bytes: int) -> Handler:
        """Lie about the length."""

        async def handler(request: Request, writer: asyncio.StreamWriter) -> None:
            await self.send(request, writer, declared=size_bytes)

        return handler


def respond(status: str, body: bytes = b"", **headers: str) -> Handler:
    """Answer with a fixed response; underscores in names of headers are hyphens."""

    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        write_head(writer, status, {"Content-Length": str(len(body))} | named)
        writer.write(body)

    return handler


def endless(start: bytes) -> Handler:
    """Send more than any catalogue promises, without a length."""

    async def handler(_: Request, writer: asyncio.StreamWriter) -> None:
        write_head(writer, "200 OK", {"Content-Type": "application/octet-stream"})
        writer.write(start)
        while not writer.is_closing():
            writer.write(bytes(1 << 16))
            await writer.drain()

    return handler


def write_head(writer: asyncio.StreamWriter, status: str, headers: dict[str, str]) -> None:
    lines = [f"HTTP/1.1 {status}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    return Request(first.split(" ")[1], headers)


@asynccontextmanager
async def serving(content: bytes) -> AsyncIterator[FileServer]:
    """Run a server of `content` until the block ends."""
    server = FileServer(content)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(server.handle(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()
