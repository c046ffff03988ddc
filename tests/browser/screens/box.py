"""This box."""

from playwright.sync_api import Page

from tests.browser.mock_box import Words, visit
from tests.browser.screens.screen import screen, see_heading


@screen
def box(page: Page, words: Words) -> None:
    visit(page, "/box")
    see_heading(page, words, "box.found")


@screen
def box_with_a_name_conflict(page: Page, words: Words) -> None:
    visit(page, "/box", "name-conflict")
    see_heading(page, words, "box.found")
