"""The box looks after itself, and a person watches: heat, a full disk, a runtime that hangs.

The target's own systemd, nginx, runtime, engine and rescue page, and a real browser on their
network. Ana reads English, Ben German, on their screens and in their mail. Heat and time are
recorded; the disk and the mails are real.
"""

import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.provisioning.cared_box import (
    FASTER,
    HANGS_SECONDS,
    URL,
    CaredBox,
    browser_in,
    cared_box,
    claim,
    join,
    until_ready,
)
from tests.provisioning.mailbox import Mailbox, mailbox
from tests.unit.health.planted_secrets import PLANTS, SEED, parts_of

pytestmark = pytest.mark.browser

PATIENCE_SECONDS = 90.0
PATIENCE = 1000 * PATIENCE_SECONDS
HOT, HOT_DE = "The box is hot.", "Die Box ist heiß."
FULL, FULL_DE = "The disk is nearly full.", "Die Platte ist fast voll."
SLOWER = "Allerac works more slowly until the box has cooled down; documents wait."
SLOWER_DE = "Allerac arbeitet langsamer, bis die Box abgekühlt ist; Dokumente warten."
OVER, OVER_DE = "It is over: {}", "Es ist vorbei: {}"
ANA, BEN = "ana@example.com", "ben@example.com"
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Home:
    """The box and who lives with it; `recovery` is Ana's code."""

    box: CaredBox
    ana: BrowserContext
    ben: BrowserContext
    recovery: str
    mails: Mailbox

    def pages(self, path: str) -> tuple[Page, Page]:
        """Return what both see at `path`."""
        seen = (self.ana.new_page(), self.ben.new_page())
        for page in seen:
            page.goto(f"{URL}{path}")
        return seen

    def until_told(self, *subjects: tuple[str, str]) -> None:
        """Wait until these mails, and no others, have reached Ana in English and Ben in German."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.mails.inbox.mails) < 2 * len(subjects):
            assert time.monotonic() < deadline, self.mails.subjects
            time.sleep(0.2)
        english, german = (list(told) for told in zip(*subjects, strict=True))
        assert self.mails.subjects == {ANA: english, BEN: german}


@pytest.fixture(scope="module")
def box(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CaredBox]:
    with cared_box(root, tmp_path_factory.mktemp("cared")) as started:
        yield started


@pytest.fixture(scope="module")
def browser(box: CaredBox) -> Iterator[Browser]:
    with browser_in(box.system.network) as started:
        yield started


@pytest.fixture(scope="module")
def home(box: CaredBox, browser: Browser) -> Iterator[Home]:
    looks = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
    ana = browser.new_context(locale="en-GB", **looks)  # type: ignore[arg-type]  # by their names
    ben = browser.new_context(locale="de-DE", **looks)  # type: ignore[arg-type]  # by their names
    recovery = claim(ana, box.claim_code())
    join(ana, ben)
    until_ready(ana.request)
    with mailbox(box.system.network) as mails:
        yield Home(box, ana, ben, recovery, mails)
    for context in (ana, ben):
        context.close()


def test_both_wish_to_be_told_by_mail_each_in_their_language(home: Home) -> None:
    home.mails.inbox.mails.clear()
    page, _ = home.pages("/box/health")
    page.get_by_role("checkbox", name="Quiet hours").uncheck()
    page.get_by_role("checkbox", name="By mail").check()
    page.get_by_label("To", exact=True).fill(ANA)
    page.get_by_role("button", name="Tell somebody else too").click()
    page.get_by_label("To", exact=True).nth(1).fill(BEN)
    page.get_by_role("combobox", name="Language").nth(1).select_option("de")
    page.get_by_role("textbox", name="From").fill("box@example.com")
    page.get_by_label("Mail server").fill("127.0.0.1")
    page.get_by_label("Port").fill(str(home.mails.port))
    page.get_by_label("Protection").select_option("none")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The test is on its way.")).to_be_visible(timeout=PATIENCE)
    home.until_told(("This is a test.", "Das ist ein Test."))
    page.close()


def test_heat_slows_the_box_is_told_by_one_mail_to_each_and_is_over(home: Home) -> None:
    home.mails.inbox.mails.clear()
    english, german = home.pages("/box/health")
    expect(english.get_by_role("heading", name="All is well.")).to_be_visible(timeout=PATIENCE)
    with home.box.time.passing(FASTER):
        home.box.machine.heat(91)
        expect(english.get_by_role("heading", name=HOT)).to_be_visible(timeout=PATIENCE)
        expect(german.get_by_role("heading", name=HOT_DE)).to_be_visible(timeout=PATIENCE)
        expect(english.get_by_text(SLOWER).first).to_be_visible(timeout=PATIENCE)
        expect(german.get_by_text(SLOWER_DE).first).to_be_visible(timeout=PATIENCE)
        expect(german.get_by_text("Ihr Prozessor hat 91 Grad.")).to_be_visible(timeout=PATIENCE)
        home.until_told((HOT, HOT_DE))
        for reader, meaning, advice in (
            (ANA, "Its processor has 91 degrees.", "Give it air"),
            (BEN, "Ihr Prozessor hat 91 Grad.", "Gib ihr Luft"),
        ):
            text = home.mails.last(reader).get_content()
            assert meaning in text
            assert advice in text

        home.box.machine.heat(48)
        expect(english.get_by_role("heading", name="All is well.")).to_be_visible(timeout=PATIENCE)
        expect(german.get_by_role("heading", name="Alles ist gut.")).to_be_visible(timeout=PATIENCE)
    for page, title, told in (
        (english, "What happened in this time", (HOT, SLOWER)),
        (german, "Was in dieser Zeit geschah", (HOT_DE, SLOWER_DE)),
    ):
        page.reload()
        happened = page.locator("section").filter(has=page.get_by_role("heading", name=title)).last
        for words in told:
            expect(happened.get_by_text(words)).to_be_visible(timeout=PATIENCE)
        chart = page.get_by_role("img", name=re.compile("^Temperatur"))
        expect(chart.locator("line").first).to_be_attached()
        expect(chart.locator("rect").first).to_be_attached()
        page.close()
    home.until_told((HOT, HOT_DE))
    home.box.time.skip(HOUR)
    home.until_told((HOT, HOT_DE), (OVER.format(HOT), OVER_DE.format(HOT_DE)))


def test_a_full_disk_is_freed_from_the_rescue_page(home: Home) -> None:
    home.mails.inbox.mails.clear()
    english, german = home.pages("/box")
    home.box.fill_the_disk()
    with home.box.time.passing(FASTER):
        expect(english.get_by_text(FULL).first).to_be_visible(timeout=PATIENCE)
        expect(german.get_by_text(FULL_DE).first).to_be_visible(timeout=PATIENCE)
        home.until_told((FULL, FULL_DE))
        home.box.fill_the_disk()  # what the reserve gave back

        german.goto(f"{URL}/rescue/")
        expect(german.get_by_text("Die Platte ist voll. Schaffe unten Platz.")).to_be_visible(
            timeout=PATIENCE
        )
        page = english
        page.goto(f"{URL}/rescue/")
        expect(page.get_by_text("The disk is full. Free some space below.")).to_be_visible(
            timeout=PATIENCE
        )
        page.get_by_label("Code").fill(home.recovery)
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_text("Unfinished downloads")).to_be_visible(timeout=PATIENCE)
        page.get_by_role("button", name="Free space").click()
        page.get_by_role("button", name="Yes: Free space").click()
        expect(page.get_by_text("became free")).to_be_visible(timeout=PATIENCE)
        page.goto(f"{URL}/rescue/")
        page.get_by_role("link", name="Go to Allerac").click()

        for seen, words in ((english, "All is well."), (german, "Alles ist gut.")):
            seen.goto(f"{URL}/box/health")
            expect(seen.get_by_role("heading", name=words)).to_be_visible(timeout=PATIENCE)
            seen.close()
    assert list(home.box.downloads.iterdir()) == []
    home.box.time.skip(HOUR)
    home.until_told((FULL, FULL_DE), (OVER.format(FULL), OVER_DE.format(FULL_DE)))


def test_none_of_a_hundred_secrets_in_the_log_is_in_the_report(home: Home) -> None:
    dice = random.Random(SEED)  # noqa: S311 - a reproducible test, no secret
    planted = [plant(dice) for _ in range(4) for plant in PLANTS]
    assert len(planted) >= 100
    log = home.box.machine.root / "log"
    numbered = [f"planted {number}: {line}" for number, (line, _) in enumerate(planted)]
    log.write_text("\n".join(numbered) + "\n")
    unit = "--unit=allerac-planted"
    home.box.system.ask("systemd-run", "--quiet", "--wait", unit, "cat", "/run/recorded/log")
    home.box.system.ask("journalctl", "--sync")
    page, _ = home.pages("/box/health")
    page.get_by_role("button", name="Put the report together").click()
    section = page.locator("details").filter(has=page.get_by_text("Log", exact=True))
    section.locator("summary").click()
    told = section.locator("pre").inner_text()
    assert [number for number in range(len(planted)) if f"planted {number}: " not in told] == []
    assert [secret for _, secret in planted if parts_of(secret, told)] == []
    page.close()


def test_a_runtime_that_hangs_is_started_anew_by_systemd(home: Home) -> None:
    system = home.box.system
    assert system.property("allerac.service", "WatchdogUSec") == f"{HANGS_SECONDS}s"
    pid, restarts = (system.property("allerac.service", name) for name in ("MainPID", "NRestarts"))
    system.ask("systemctl", "kill", "--signal=STOP", "allerac.service")
    system.wait_for(
        ("systemctl", "show", "--value", "--property=NRestarts", "allerac.service"),
        str(int(restarts) + 1),
    )
    system.wait_for(("systemctl", "is-active", "allerac.service"), "active")
    assert system.property("allerac.service", "MainPID") != pid
    assert "Watchdog timeout" in system.ask("journalctl", "-b", "--unit=allerac.service")
    until_ready(home.ana.request)
