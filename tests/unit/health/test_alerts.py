"""Alerts on real ways out: a mail server and an HTTP receiver on loopback."""

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

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from allerac.appliance.secret_box import SecretBox
from allerac.errors import Conflict, Unavailable
from allerac.health import Change, Finding, Issue, find_checks
from allerac.health.alerts import (
    AlertService,
    AlertSettings,
    DiaryOutbox,
    Mail,
    Ntfy,
    QuietHours,
    SettingsFile,
    Webhook,
)
from allerac.health.check import Severity
from allerac.health.issues import Kind
from allerac.storage.device_history import DeviceHistory

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CHECKS = {check.code: check for check in find_checks()}


@dataclass(frozen=True, slots=True)
class Home:
    name: str = "Kitchen"
    time_zone: str = "Europe/Berlin"


@dataclass(slots=True)
class Inbox:
    """What arrived; `refuse` makes the server say no."""

    mails: list[EmailMessage] = field(default_factory=list)
    refuse: bool = False

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.refuse:
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


def desk(tmp_path: Path, **chosen: Any) -> Desk:
    file = SettingsFile(tmp_path / "alerts.json", SecretBox(tmp_path / "key"))
    file.save(AlertSettings(**{"quiet": None, **chosen}))

    async def home() -> Home:
        return Home()

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


def mail(port: int, **more: Any) -> Mail:
    return Mail(
        host="127.0.0.1",
        port=port,
        security="none",
        sender="box@example.com",
        recipients=("ana@example.com", "ben@example.com"),
        **more,
    )


async def test_an_issue_is_mailed_once_again_when_worse_and_when_over(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port))
        first = issue()
        await alerts.hear("opened", first)
        await alerts.service.dispatcher.deliver()
        await alerts.hear("worse", replace(first, finding=Finding("critical", {"celsius": 99})))
        await alerts.hear("recovered", replace(first, ended_at=NOON + timedelta(hours=1)))
    assert [mail["Subject"] for mail in inbox.mails] == [
        "Kitchen: The box is hot.",
        "Kitchen: It has become worse: The box is hot.",
        "Kitchen: It is over: The box is hot.",
    ]
    assert inbox.mails[0]["To"] == "ana@example.com, ben@example.com"
    assert "91 degrees" in inbox.mails[0].get_content()
    assert inbox.mails[0]["Auto-Submitted"] == "auto-generated"


async def test_an_alert_speaks_the_language_of_the_household(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port), language="de")
        await alerts.hear("opened", issue())
    assert inbox.mails[0]["Subject"] == "Kitchen: Die Box ist heiß."


async def test_a_mail_server_that_wants_a_password_gets_it(tmp_path: Path) -> None:
    seen: list[tuple[bytes, bytes]] = []

    def check(_s: object, _session: object, _e: object, _m: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        seen.append((data.login, data.password))
        return AuthResult(success=True)

    inbox = Inbox()
    async with mail_server(inbox, authenticator=check, auth_require_tls=False) as port:
        alerts = desk(tmp_path, mail=mail(port, username="box", password="quiet lantern"))  # noqa: S106 - made up
        await alerts.service.test("mail")
    assert seen == [(b"box", b"quiet lantern")]
    assert inbox.mails[0]["Subject"] == "Kitchen: This is a test."


async def test_a_server_that_says_no_is_asked_again_later_and_named(tmp_path: Path) -> None:
    inbox = Inbox(refuse=True)
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port))
        await alerts.hear("opened", issue())
        assert "451" in alerts.service.problems["mail"]
        inbox.refuse = False
        await alerts.service.dispatcher.deliver()
        assert inbox.mails == []
        alerts.seconds = 61
        await alerts.service.dispatcher.deliver()
        assert len(inbox.mails) == 1
        assert alerts.service.problems == {}


async def test_a_server_that_is_away_is_told_by_the_test_button(tmp_path: Path) -> None:
    with receiver() as (url, _):
        port = int(url.split(":")[2].split("/")[0])
    alerts = desk(tmp_path, mail=mail(port))
    with pytest.raises(Unavailable):
        await alerts.service.test("mail")
    with pytest.raises(Conflict):
        await alerts.service.test("ntfy")


async def test_a_server_that_never_takes_an_alert_is_given_up(tmp_path: Path) -> None:
    inbox = Inbox(refuse=True)
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port))
        await alerts.hear("opened", issue())
        for _ in range(6):
            alerts.seconds += 3600
            await alerts.service.dispatcher.deliver()
        inbox.refuse = False
        alerts.seconds += 36000
        await alerts.service.dispatcher.deliver()
    assert inbox.mails == []


@pytest.mark.parametrize(
    ("form", "name", "said"),
    [("slack", "text", "Kitchen: The box is hot."), ("discord", "content", "Kitchen: The box is")],
)
async def test_webhooks_speak_the_form_of_the_other_side(
    tmp_path: Path, form: str, name: str, said: str
) -> None:
    with receiver() as (url, taken):
        alerts = desk(tmp_path, webhook=Webhook.model_validate({"url": url, "form": form}))
        await alerts.hear("opened", issue())
    assert taken[0][1][name].startswith(said)


async def test_a_generic_webhook_gets_every_part(tmp_path: Path) -> None:
    with receiver() as (url, taken):
        alerts = desk(tmp_path, webhook=Webhook(url=url))
        await alerts.hear("opened", issue())
    body = taken[0][1]
    assert (body["event"], body["code"], body["severity"], body["box"]) == (
        "opened",
        "hot",
        "warning",
        "Kitchen",
    )


async def test_ntfy_gets_topic_priority_and_token(tmp_path: Path) -> None:
    with receiver() as (url, taken):
        alerts = desk(tmp_path, ntfy=Ntfy(server=url, topic="kitchen", token="t0ken"))  # noqa: S106 - made up
        await alerts.hear("opened", issue(severity="critical"))
    headers, body = taken[0]
    assert headers["Authorization"] == "Bearer t0ken"
    assert (body["topic"], body["priority"]) == ("kitchen", 5)


async def test_a_receiver_that_fails_is_named_without_its_address(tmp_path: Path) -> None:
    with receiver(500) as (url, _):
        alerts = desk(tmp_path, webhook=Webhook(url=url))
        await alerts.hear("opened", issue())
    assert "500" in alerts.service.problems["webhook"]
    assert "secret" not in alerts.service.problems["webhook"]


async def test_quiet_hours_hold_back_all_but_the_critical(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port), quiet=QuietHours(begin=22, end=7))
        alerts.now = datetime(2026, 5, 1, 23, tzinfo=UTC)  # one in the morning in Berlin
        await alerts.hear("opened", issue())
        await alerts.hear("opened", issue("link_flapping", number="2"))
        assert inbox.mails == []
        await alerts.hear("opened", issue("engine_down", "critical", number="3"))
        assert len(inbox.mails) == 1
        await alerts.hear("recovered", replace(issue(), ended_at=alerts.now))
        alerts.now = datetime(2026, 5, 2, 6, tzinfo=UTC)
        await alerts.service.dispatcher.deliver()
    assert len(inbox.mails) == 2
    assert "cable" in inbox.mails[1]["Subject"]


async def restarted(tmp_path: Path, now: datetime, **chosen: Any) -> Desk:
    """A desk that takes over what the one before it left, and sends what is due."""
    made = desk(tmp_path, **chosen)
    made.now = now
    await made.service.recall()
    await made.service.dispatcher.deliver()
    return made


async def test_what_waits_for_the_morning_is_told_once_in_spite_of_restarts(tmp_path: Path) -> None:
    inbox = Inbox()
    night, morning = (datetime(2026, 5, *at, tzinfo=UTC) for at in ((1, 23), (2, 6)))
    async with mail_server(inbox) as port:
        chosen = {"mail": mail(port), "quiet": QuietHours(begin=22, end=7)}
        alerts = desk(tmp_path, **chosen)
        alerts.now = night
        await alerts.hear("opened", issue())
        await alerts.hear("opened", issue("link_flapping", number="2"))
        again = await restarted(tmp_path, night, **chosen)
        await again.hear("recovered", replace(issue(), ended_at=night))
        assert inbox.mails == []
        await restarted(tmp_path, morning, **chosen)
        await restarted(tmp_path, morning, **chosen)
    (told,) = inbox.mails
    assert "cable" in told["Subject"]


async def test_what_a_server_did_not_take_is_tried_again_after_a_restart(tmp_path: Path) -> None:
    inbox = Inbox(refuse=True)
    async with mail_server(inbox) as port:
        await desk(tmp_path, mail=mail(port)).hear("opened", issue())
        inbox.refuse = False
        await restarted(tmp_path, NOON, mail=mail(port))
        await restarted(tmp_path, NOON, mail=mail(port))
    assert len(inbox.mails) == 1


async def test_a_server_that_never_takes_an_alert_is_given_up_in_spite_of_restarts(
    tmp_path: Path,
) -> None:
    inbox = Inbox(refuse=True)
    async with mail_server(inbox) as port:
        await desk(tmp_path, mail=mail(port)).hear("opened", issue())
        for _ in range(3):
            await restarted(tmp_path, NOON, mail=mail(port))
        inbox.refuse = False
        await restarted(tmp_path, NOON, mail=mail(port))
    assert inbox.mails == []


async def test_a_diary_that_cannot_be_written_keeps_no_alert_back(tmp_path: Path) -> None:
    (tmp_path / "health.sqlite").mkdir()
    inbox = Inbox()
    async with mail_server(inbox) as port:
        await desk(tmp_path, mail=mail(port)).hear("opened", issue())
    assert len(inbox.mails) == 1


async def test_what_is_less_than_wished_is_not_told(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port), least="warning")
        await alerts.hear("opened", issue(severity="notice"))
    assert inbox.mails == []


async def test_a_channel_that_never_answers_does_not_hold_up_the_issue_list(tmp_path: Path) -> None:
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    alerts = desk(tmp_path, webhook=Webhook(url=f"http://127.0.0.1:{port}/"))
    await alerts.service.start()
    async with asyncio.timeout(5):
        await alerts.service.hear(Change("opened", issue()))
    await alerts.service.stop()
    for writer in writers:
        writer.close()
    server.close()


def test_secrets_are_sealed_on_the_disk_and_come_back(tmp_path: Path) -> None:
    path, key = tmp_path / "alerts.json", tmp_path / "key"
    chosen = AlertSettings(
        mail=mail(25, username="box", password="quiet lantern"),  # noqa: S106 - made up
        webhook=Webhook(url="https://hooks.example.com/T0P"),
        ntfy=Ntfy(topic="kitchen", token="t0ken"),  # noqa: S106 - made up
    )
    SettingsFile(path, SecretBox(key)).save(chosen)
    text = path.read_text()
    assert not [secret for secret in ("quiet lantern", "T0P", "t0ken") if secret in text]
    assert path.stat().st_mode & 0o777 == 0o600
    assert SettingsFile(path, SecretBox(key)).load() == chosen
    key.unlink()
    lost = SettingsFile(path, SecretBox(key)).load()
    assert (lost.mail, lost.webhook, lost.ntfy) == (None, None, None)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"mail": 5}', '{"mail": {}, "webhook": null}'])
def test_a_settings_file_full_of_nonsense_is_that_of_a_new_box(tmp_path: Path, text: str) -> None:
    path = tmp_path / "alerts.json"
    path.write_text(text)
    assert SettingsFile(path, SecretBox(tmp_path / "key")).load() == AlertSettings()
