"""Updates, in each of their states."""

from playwright.sync_api import Page, expect

from tests.browser.mock_box import Words, visit
from tests.browser.screens.screen import screen, see_heading


def _updates(
    page: Page, words: Words, state: str, headline: str, *, version: str = "0.3.0"
) -> None:
    visit(page, "/box/updates", f"update-{state}")
    told = words(f"updates.state.{headline}", version=version)
    expect(page.get_by_text(told, exact=True)).to_be_visible()
    see_heading(page, words, "updates.history")
    expect(page.get_by_text("0.1.0 → 0.2.0")).to_be_visible()


@screen
def updates(page: Page, words: Words) -> None:
    _updates(page, words, "none", "idle")


@screen
def updates_available(page: Page, words: Words) -> None:
    _updates(page, words, "available", "available")


@screen
def updates_not_its_turn(page: Page, words: Words) -> None:
    _updates(page, words, "not-its-turn", "good", version="0.2.0")
    told = words("updates.withheld.not_its_turn", version="0.3.0", percentage="20")
    expect(page.get_by_text(told)).to_be_visible()


@screen
def updates_downloading(page: Page, words: Words) -> None:
    _updates(page, words, "downloading", "downloading")


@screen
def updates_installed(page: Page, words: Words) -> None:
    _updates(page, words, "installed", "installed")


@screen
def updates_restarting(page: Page, words: Words) -> None:
    _updates(page, words, "rebooting", "rebooting")


@screen
def updates_proving(page: Page, words: Words) -> None:
    _updates(page, words, "proving", "proving")


@screen
def updates_done(page: Page, words: Words) -> None:
    _updates(page, words, "good", "good")


@screen
def updates_came_back(page: Page, words: Words) -> None:
    _updates(page, words, "rolled-back", "rolled_back")


@screen
def updates_go_back(page: Page, words: Words) -> None:
    updates(page, words)
    page.get_by_role("button", name=words("updates.goBack", version="0.1.0")).click()
    expect(page.get_by_role("button", name=words("updates.goBackNow"))).to_be_visible()
