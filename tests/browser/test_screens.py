"""Every screen on a small phone, a phone and a desktop, light and dark, in English and in German.

`ALLERAC_SCREENSHOTS=<folder>` keeps a picture of each and looks at all combinations.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page

from tests.browser.audit import faults, violations
from tests.browser.mock_box import EVERY_LOOK, PAIRWISE, Look, Words, open_context
from tests.browser.screens import SCREENS, Screen

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

SHOTS = os.environ.get("ALLERAC_SCREENSHOTS")


@pytest.fixture(params=EVERY_LOOK if SHOTS else PAIRWISE, ids=str, scope="module")
def look(request: pytest.FixtureRequest) -> Look:
    assert isinstance(request.param, Look)
    return request.param


@pytest.fixture(scope="module")
def tab(browser: Browser, mock_box: str, look: Look) -> Iterator[Page]:
    """One tab for all screens: a program that the browser knows already starts twice as fast."""
    context = open_context(browser, mock_box, look)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """The tab with nothing in it of the screen before; what went wrong there is told here."""
    problems: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(message.text)

    def fail(error: Error) -> None:
        problems.append(str(error))

    tab.on("console", hear)
    tab.on("pageerror", fail)
    yield tab
    tab.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    tab.mouse.move(0, 0)
    tab.goto("about:blank")
    tab.remove_listener("console", hear)
    tab.remove_listener("pageerror", fail)
    assert problems == []


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_screen_reads_well_and_can_be_touched(page: Page, look: Look, screen: Screen) -> None:
    screen.reach(page, Words(look.language))
    page.evaluate("document.fonts.ready")
    if SHOTS:
        folder = Path(SHOTS) / str(look)
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{screen.name}.png")
    assert faults(page, is_touched=look.is_touched) == []
    assert violations(page) == []
