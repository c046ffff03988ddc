"""The doors: sign-in, recovery, invitation."""

from playwright.sync_api import Page, expect

from tests.browser.mock_box import Words, visit
from tests.browser.screens.screen import screen, see_heading


@screen
def sign_in_refused(page: Page, words: Words) -> None:
    visit(page, "/", "signed-out")
    page.get_by_label(words("person.name")).fill("Ana")
    page.get_by_label(words("password.label")).fill("wrong")
    page.get_by_role("button", name=words("signIn.go")).click()
    expect(page.get_by_role("alert")).to_be_visible()


@screen
def recover(page: Page, words: Words) -> None:
    visit(page, "/recover", "signed-out")
    see_heading(page, words, "recovery.title")


@screen
def join(page: Page, words: Words) -> None:
    visit(page, "/join/good", "signed-out")
    expect(page.get_by_role("button", name=words("join.go"))).to_be_visible()


@screen
def join_with_a_used_link(page: Page, words: Words) -> None:
    visit(page, "/join/used", "signed-out")
    see_heading(page, words, "join.noneTitle")
