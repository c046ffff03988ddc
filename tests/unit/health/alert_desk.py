"""The service of alerts with a clock of its own, and who takes its messages: real servers."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from allerac.appliance.secret_box import SecretBox
from allerac.health import Change, Finding, Issue, find_checks
from allerac.health.alerts import AlertService, AlertSettings, DiaryOutbox, Mail, SettingsFile
from allerac.health.alerts.settings import Language
from allerac.health.check import Severity
from allerac.health.issues import Kind
from allerac.storage.device_history import DeviceHistory

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = 3600.0
CHECKS = {check.code: check for check in find_checks()}


@dataclass(frozen=True, slots=True)
class Home:
    name: str = "Kitchen"
    time_zone: str = "Europe/Berlin"
    language: Language = "en"


@dataclass
class Inbox:
    """What arrived; `refuse` makes the server say no, to all or to one of them.

    aiosmtpd looks at all its members, which with slots ends in an error before Python 3.11.3.
    """

    mails: list[EmailMessage] = field(default_factory=list)
    refuse: bool = False
    refuse_for: str = ""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refuse or self.refuse_for in envelope.rcpt_tos:
            return "451 come back later"
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content, policy=policy.default))
        return "250 taken"


@asynccontextmanager
async def mail_server(inbox: Inbox, **options: Any) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(inbox, **options), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@contextmanager
def receiver(answers: int = 200) -> Iterator[tuple[str, list[tuple[Mapping[str, str], Any]]]]:
    taken: list[tuple[Mapping[str, str], Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((dict(self.headers), json.loads(body)))
            self.send_response(answers)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook/secret", taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@dataclass(slots=True)
class Desk:
    """The service with a clock of its own."""

    service: AlertService
    now: datetime = NOON
    seconds: float = 0.0

    async def hear(self, kind: Kind, issue: Issue) -> None:
        await self.service.hear(Change(kind, issue))
        await self.service.dispatcher.deliver()

    async def pass_by(self, seconds: float) -> None:
        self.seconds += seconds
        await self.service.dispatcher.deliver()


def desk(tmp_path: Path, language: Language = "en", /, **chosen: Any) -> Desk:
    """Return the desk of a household that speaks `language`."""
    file = SettingsFile(tmp_path / "alerts.json", SecretBox(tmp_path / "key"))
    file.save(AlertSettings(**{"quiet": None, **chosen}))

    async def home() -> Home:
        return Home(language=language)

    made = Desk(AlertService(file, home))
    outbox = DiaryOutbox(DeviceHistory(tmp_path / "health.sqlite"), find_checks())
    made.service = AlertService(file, home, clock=lambda: made.now, outbox=outbox)
    made.service.dispatcher.steady = lambda: made.seconds
    return made


def issue(code: str = "hot", severity: Severity = "warning", number: str = "1") -> Issue:
    return Issue(
        number,
        CHECKS[code],
        Finding(severity, {"celsius": 91, "name": "enp1s0", "times": 4, "state": "failed"}),
        NOON,
        NOON,
    )


def worse(first: Issue) -> Issue:
    return replace(first, finding=Finding("critical", {"celsius": 99}), before=first.worst)


def over(first: Issue) -> Issue:
    return replace(first, ended_at=NOON + timedelta(hours=1))


def subjects(inbox: Inbox) -> list[str]:
    return [str(mail["Subject"]).removeprefix("Kitchen: ") for mail in inbox.mails]


def mail(port: int, **more: Any) -> Mail:
    return Mail(
        host="127.0.0.1",
        port=port,
        security="none",
        sender="box@example.com",
        recipients=("ana@example.com", "ben@example.com"),
        **more,
    )


async def restarted(tmp_path: Path, now: datetime, **chosen: Any) -> Desk:
    """A desk that takes over what the one before it left, and sends what is due."""
    made = desk(tmp_path, **chosen)
    made.now = now
    await made.service.recall()
    await made.service.dispatcher.deliver()
    return made
