"""The list of conversations."""

from playwright.sync_api import Page, expect

from tests.browser.mock_box import Words, visit
from tests.browser.screens.screen import screen


def _list(page: Page, words: Words, *plays: str) -> None:
    visit(page, "/chat/list", *plays)
    expect(page.get_by_role("searchbox")).to_be_visible()


@screen
def list_of_conversations(page: Page, words: Words) -> None:
    _list(page, words)
    expect(page.get_by_role("link", name="A loaf for a slow morning")).to_be_visible()


@screen
def list_empty(page: Page, words: Words) -> None:
    _list(page, words, "empty")
    expect(page.get_by_text(words("chat.noneYet"))).to_be_visible()


@screen
def list_search(page: Page, words: Words) -> None:
    _list(page, words)
    page.get_by_role("searchbox").fill("fridge")
    expect(page.locator("mark").first).to_be_visible()


@screen
def list_menu(page: Page, words: Words) -> None:
    list_of_conversations(page, words)
    page.get_by_role(
        "button", name=words("chat.actions", title="A loaf for a slow morning")
    ).click()
    expect(page.get_by_role("menuitem").first).to_be_visible()


@screen
def list_deleted(page: Page, words: Words) -> None:
    list_menu(page, words)
    page.get_by_role("menuitem", name=words("chat.delete")).click()
    expect(page.get_by_text(words("chat.deleted"))).to_be_visible()
