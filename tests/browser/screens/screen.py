"""What a screen is, and the steps that many share."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.browser.mock_box import Words

Steps = Callable[[Page, Words], None]


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen by name; `reach` leads to it from a new page."""

    name: str
    reach: Steps


SCREENS: list[Screen] = []


def screen(reach: Steps) -> Steps:
    """Enter `reach` in SCREENS under its own name."""
    SCREENS.append(Screen(reach.__name__.replace("_", "-"), reach))
    return reach


def press_next(page: Page, words: Words) -> None:
    """Go to the wizard's next step."""
    page.get_by_role("button", name=words("next"), exact=True).click()


def see_heading(page: Page, words: Words, key: str) -> None:
    """Wait for a heading by the key of its words."""
    expect(page.get_by_role("heading", name=words(key))).to_be_visible()
