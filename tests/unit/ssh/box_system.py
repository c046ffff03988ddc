"""A system around the runtime that meets its wish for SSH, as the box's units do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from allerac.appliance.ssh_door import SshDoor

BANNER = b"SSH-2.0-test\r\n"
LOOK_SECONDS = 0.005


class BoxSystem:
    """Listens while the wish says so. `obeys` is False where units do not start or stop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.obeys = True
        self.now = 1000.0
        self.port = 0
        self._server: asyncio.Server | None = None

    def door(self, *, patience_seconds: float = 20.0) -> SshDoor:
        """Return a door of this box, as a runtime that starts makes it."""
        return SshDoor(
            self.folder,
            self.folder / "host_key.pub",
            port=self.port,
            steady=lambda: self.now,
            patience_seconds=patience_seconds,
        )

    @property
    def is_open(self) -> bool:
        return self._server is not None

    def let_in(self) -> list[str]:
        """Return the lines of the keys that are let in."""
        return (self.folder / "authorized_keys").read_text().splitlines()

    async def end(self) -> None:
        """The time is up: nobody listens any more, and no file says so."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self._server = None

    async def _begin(self) -> None:
        async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(BANNER)
            with suppress(ConnectionError):
                await writer.drain()
            writer.close()

        self._server = await asyncio.start_server(greet, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def tend(self) -> None:
        """Meet each new wish, for ever."""
        met = "0"
        while True:
            with suppress(OSError):
                wish = (self.folder / "wish").read_text().strip()
                if self.obeys and wish != met:
                    await self.end()
                    if wish != "0":
                        await self._begin()
                    met = wish
            await asyncio.sleep(LOOK_SECONDS)

    async def choose_port(self) -> None:
        """Find a port that is free."""
        await self._begin()
        await self.end()


@asynccontextmanager
async def box_system(folder: Path) -> AsyncIterator[BoxSystem]:
    """A system that tends to the wishes in `folder`."""
    system = BoxSystem(folder)
    await system.choose_port()
    tending = asyncio.create_task(system.tend())
    try:
        yield system
    finally:
        tending.cancel()
        await asyncio.gather(tending, return_exceptions=True)
        await system.end()
