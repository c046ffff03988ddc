"""Health: all is well, hot, and with a disk that is nearly full."""

from playwright.sync_api import Page, expect

from tests.browser.mock_box import Words, visit
from tests.browser.screens.screen import screen, see_heading


def _charts(page: Page, words: Words) -> None:
    see_heading(page, words, "health.measured")
    expect(page.locator("figure").first).to_be_visible()
    see_heading(page, words, "health.past")


@screen
def health(page: Page, words: Words) -> None:
    visit(page, "/box/health")
    see_heading(page, words, "health.allWell")
    _charts(page, words)


@screen
def health_hot(page: Page, words: Words) -> None:
    visit(page, "/box/health", "health-hot")
    see_heading(page, words, "health.itself")
    _charts(page, words)


@screen
def health_full(page: Page, words: Words) -> None:
    visit(page, "/box/health", "health-full")
    expect(page.get_by_role("link", name=words("health.open"))).to_be_visible()
    _charts(page, words)


@screen
def box_with_issue(page: Page, words: Words) -> None:
    visit(page, "/box", "health-hot")
    see_heading(page, words, "health.title")
    expect(page.get_by_role("link", name=words("health.see"))).to_be_visible()


@screen
def health_report(page: Page, words: Words) -> None:
    visit(page, "/box/health")
    page.get_by_role("button", name=words("health.support.make")).click()
    page.get_by_text(words("health.support.section.log"), exact=True).click()
    expect(page.get_by_text("token=[secret]")).to_be_visible()


@screen
def alerts(page: Page, words: Words) -> None:
    visit(page, "/box/health")
    page.get_by_role("checkbox", name=words("alerts.mail")).click()
    page.get_by_role("checkbox", name=words("alerts.ntfy")).click()
    expect(page.get_by_label(words("alerts.topic"))).to_be_visible()
