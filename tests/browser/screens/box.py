"""This box."""

from playwright.sync_api import Page

from tests.browser.mock_box import Words, visit
from tests.browser.screens.screen import screen, see_heading


@screen
def box(page: Page, words: Words) -> None:
    visit(page, "/box")
    see_heading(page, words, "box.found")


@screen
def box_with_ssh_open(page: Page, words: Words) -> None:
    visit(page, "/box", "ssh-open")
    see_heading(page, words, "ssh.title")
    page.get_by_role("button", name=words("ssh.close")).scroll_into_view_if_needed()
    for title in ("ssh.add", "ssh.events"):
        page.get_by_text(words(title), exact=True).click()


@screen
def box_with_a_name_conflict(page: Page, words: Words) -> None:
    visit(page, "/box", "name-conflict")
    see_heading(page, words, "box.found")
