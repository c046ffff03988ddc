"""When which alert goes out: once, again when worse, when it is over, and not at night."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from allerac.health.alerts import QuietHours
from tests.unit.health.alert_desk import (
    HOUR,
    NOON,
    Inbox,
    desk,
    issue,
    mail,
    mail_server,
    over,
    restarted,
    subjects,
    worse,
)


async def test_an_issue_is_mailed_once_again_when_worse_and_when_over(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port))
        first = issue()
        await alerts.hear("opened", first)
        await alerts.service.dispatcher.deliver()
        await alerts.hear("worse", worse(first))
        await alerts.hear("recovered", over(first))
        await alerts.pass_by(HOUR)
    assert [mail["Subject"] for mail in inbox.mails] == [
        "Kitchen: The box is hot.",
        "Kitchen: It has become worse: The box is hot.",
        "Kitchen: It is over: The box is hot.",
    ]
    assert inbox.mails[0]["To"] == "ana@example.com, ben@example.com"
    assert "91 degrees" in inbox.mails[0].get_content()
    assert inbox.mails[0]["Auto-Submitted"] == "auto-generated"


async def test_what_comes_and_goes_is_one_mail_and_one_end(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port))
        for number in range(20):  # it cools down while it rests, and gets hot with the next answer
            again = issue(number=str(number))
            await alerts.hear("opened", again)
            await alerts.pass_by(300)
            await alerts.hear("worse", worse(again))
            await alerts.pass_by(60)
            await alerts.hear("recovered", over(worse(again)))
            await alerts.pass_by(240)
        await alerts.pass_by(HOUR)
        await alerts.pass_by(HOUR)
    assert subjects(inbox) == [
        "The box is hot.",
        "It has become worse: The box is hot.",
        "It is over: The box is hot.",
    ]


async def test_what_comes_back_after_its_end_was_told_is_told_again(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port))
        await alerts.hear("opened", issue())
        await alerts.hear("recovered", over(issue()))
        await alerts.pass_by(HOUR)
        await alerts.hear("opened", issue(number="2"))
    assert subjects(inbox) == [
        "The box is hot.",
        "It is over: The box is hot.",
        "The box is hot.",
    ]


async def test_what_comes_back_worse_than_it_was_told_is_told_to_be_worse(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port))
        await alerts.hear("opened", issue())
        await alerts.hear("recovered", over(issue()))
        await alerts.hear("opened", issue(severity="critical", number="2"))
    assert subjects(inbox) == ["The box is hot.", "It has become worse: The box is hot."]


async def test_the_end_of_trouble_is_told_sooner_than_that_of_less(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port))
        down = issue("engine_down", "critical", number="2")
        for one in (issue(), down):
            await alerts.hear("opened", one)
            await alerts.hear("recovered", over(one))
        await alerts.pass_by(HOUR / 4)
        assert subjects(inbox)[2:] == ["It is over: The box cannot answer."]
        await alerts.pass_by(HOUR)
    assert subjects(inbox)[3:] == ["It is over: The box is hot."]


async def test_an_end_that_settles_is_told_in_spite_of_a_restart(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port))
        await alerts.hear("opened", issue())
        await alerts.hear("recovered", over(issue()))
        again = await restarted(tmp_path, NOON, mail=mail(port))
        await again.hear("opened", issue(number="2"))
        await again.hear("recovered", over(issue(number="2")))
        assert len(inbox.mails) == 1
        await again.pass_by(HOUR)
    assert subjects(inbox) == ["The box is hot.", "It is over: The box is hot."]


async def test_the_end_is_told_to_who_wished_for_trouble_alone(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port), least="critical")
        await alerts.hear("opened", issue())
        await alerts.hear("worse", worse(issue()))
        await alerts.hear("recovered", replace(over(issue()), before="critical"))
        await alerts.pass_by(HOUR)
    assert subjects(inbox) == ["The box is hot.", "It is over: The box is hot."]


async def test_what_is_less_than_wished_is_not_told(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port), least="warning")
        await alerts.hear("opened", issue(severity="notice"))
    assert inbox.mails == []


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


async def test_what_worsens_at_night_is_told_once_as_it_is_then(tmp_path: Path) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        alerts = desk(tmp_path, mail=mail(port), quiet=QuietHours(begin=22, end=7))
        alerts.now = datetime(2026, 5, 1, 23, tzinfo=UTC)
        await alerts.hear("opened", issue())
        assert inbox.mails == []
        await alerts.hear("worse", worse(issue()))
        assert subjects(inbox) == ["The box is hot."]
        assert "99 degrees" in inbox.mails[0].get_content()
        alerts.now = datetime(2026, 5, 2, 6, tzinfo=UTC)
        await alerts.service.dispatcher.deliver()
    assert len(inbox.mails) == 1


async def test_the_end_of_what_was_told_in_the_evening_is_told_in_the_morning(
    tmp_path: Path,
) -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        chosen = {"mail": mail(port), "least": "notice", "quiet": QuietHours(begin=22, end=7)}
        alerts = desk(tmp_path, **chosen)
        await alerts.hear("opened", issue(severity="notice"))
        alerts.now = datetime(2026, 5, 1, 23, tzinfo=UTC)
        await alerts.hear("worse", replace(issue(), before="notice"))
        await alerts.hear("recovered", over(issue()))
        await alerts.pass_by(HOUR)
        assert len(inbox.mails) == 1
        alerts.now = datetime(2026, 5, 2, 6, tzinfo=UTC)
        await alerts.service.dispatcher.deliver()
    assert subjects(inbox) == ["The box is hot.", "It is over: The box is hot."]


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
