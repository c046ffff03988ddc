"""A mail server in a network of its own."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from threading import Thread

from aiosmtpd.smtp import SMTP

from tests.provisioning.namespaces import inside
from tests.unit.health.alert_desk import Inbox

START_SECONDS = 30.0


@dataclass(slots=True)
class Mailbox:
    """What arrived at `port` of the network's loopback, in order."""

    port: int
    inbox: Inbox = field(default_factory=Inbox)

    @property
    def subjects(self) -> dict[str, list[str]]:
        """Return the subjects, without the box's name, by who got them."""
        found: dict[str, list[str]] = {}
        for mail in self.inbox.mails:
            found.setdefault(str(mail["To"]), []).append(str(mail["Subject"]).partition(": ")[2])
        return found

    def last(self, address: str) -> EmailMessage:
        """Return the newest mail that somebody got."""
        return [mail for mail in self.inbox.mails if mail["To"] == address][-1]


@contextmanager
def mailbox(network: Path) -> Iterator[Mailbox]:
    """Take every mail that is sent to a port in `network`."""
    with inside(network):
        listening = socket.create_server(("127.0.0.1", 0))
    box = Mailbox(listening.getsockname()[1])
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()

    async def serve() -> asyncio.Server:
        return await loop.create_server(lambda: SMTP(box.inbox), sock=listening)

    async def close(server: asyncio.Server) -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(serve(), loop).result(START_SECONDS)
    try:
        yield box
    finally:
        asyncio.run_coroutine_threadsafe(close(server), loop).result(START_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
