"""Alerts on real ways out: a mail server and an HTTP receiver on loopback."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from allerac.appliance.secret_box import SecretBox
from allerac.errors import Conflict, Unavailable
from allerac.health import Change
from allerac.health.alerts import AlertSettings, Ntfy, SettingsFile, Webhook
from tests.unit.health.alert_desk import (
    HOUR,
    Inbox,
    desk,
    issue,
    mail,
    mail_server,
    over,
    receiver,
)


async def test_an_alert_speaks_the_language_of_the_household(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, "de", mail=mail(port))
        await alerts.hear("opened", issue())
    assert inbox.mails[0]["Subject"] == "Kitchen: Die Box ist heiß."
    assert "Seit 01.05.2026, 14:00 Uhr." in inbox.mails[0].get_content()


async def test_each_recipient_is_told_in_a_language_of_their_own(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        both = mail(port, languages={"ben@example.com": "de"})
        alerts = desk(tmp_path, mail=both)
        await alerts.hear("opened", issue())
        await alerts.service.test("mail")
    assert [(one["To"], one["Subject"]) for one in inbox.mails] == [
        ("ana@example.com", "Kitchen: The box is hot."),
        ("ben@example.com", "Kitchen: Die Box ist heiß."),
        ("ana@example.com", "Kitchen: This is a test."),
        ("ben@example.com", "Kitchen: Das ist ein Test."),
    ]


async def test_who_was_told_is_not_told_again_because_another_was_not(tmp_path: Path) -> None:
    inbox = Inbox(refuse_for="ben@example.com")
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port, languages={"ben@example.com": "de"}))
        await alerts.hear("opened", issue())
        assert "come back later" in alerts.service.problems["mail"]
        inbox.refuse_for = ""
        await alerts.pass_by(HOUR)
    assert [one["To"] for one in inbox.mails] == ["ana@example.com", "ben@example.com"]
    assert alerts.service.problems == {}


async def test_a_channel_may_speak_another_language_than_the_household(tmp_path: Path) -> None:
    with receiver() as (url, taken):
        alerts = desk(
            tmp_path,
            webhook=Webhook(url=url, language="de"),
            ntfy=Ntfy(server=url, topic="kitchen"),
        )
        await alerts.hear("opened", issue())
    told = [body.get("message") or body["title"] for _, body in taken]
    assert told[0] == "Die Box ist heiß."
    assert told[1].startswith("Its processor has 91 degrees.")


async def test_an_end_says_how_long_it_was_in_the_time_of_the_household(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port))
        await alerts.hear("recovered", over(issue()))
        await alerts.pass_by(HOUR)
    text = inbox.mails[0].get_content()
    assert "From 2026-05-01, 14:00 to 2026-05-01, 15:00." in text


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


async def test_a_server_that_is_away_is_told_by_the_test_button(tmp_path: Path) -> None:
    with receiver() as (url, _):
        port = int(url.split(":")[2].split("/")[0])
    alerts = desk(tmp_path, mail=mail(port))
    with pytest.raises(Unavailable):
        await alerts.service.test("mail")
    with pytest.raises(Conflict):
        await alerts.service.test("ntfy")


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
