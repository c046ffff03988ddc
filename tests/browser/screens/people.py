"""People, invitations and keys."""

from playwright.sync_api import Page, expect

from tests.browser.mock_box import Words, visit
from tests.browser.screens.screen import screen


@screen
def people(page: Page, words: Words) -> None:
    visit(page, "/people")
    expect(page.get_by_text("Jonas")).to_be_visible()


@screen
def people_invited(page: Page, words: Words) -> None:
    people(page, words)
    page.get_by_role("button", name=words("people.makeLink")).click()
    expect(page.get_by_role("img", name=words("people.qr"))).to_be_visible()


@screen
def people_remove(page: Page, words: Words) -> None:
    people(page, words)
    page.get_by_role("button", name=words("people.remove")).click()
    confirm = words("people.removeNow", name="Jonas")
    expect(page.get_by_role("button", name=confirm)).to_be_disabled()


@screen
def people_key_made(page: Page, words: Words) -> None:
    people(page, words)
    page.get_by_label(words("keys.name")).fill("Home Assistant")
    page.get_by_role("button", name=words("keys.make")).click()
    expect(page.get_by_label(words("keys.key"), exact=True)).to_be_visible()
