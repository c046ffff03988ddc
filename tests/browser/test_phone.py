"""What only a phone has: a way back by swiping, a keyboard on glass, and fingers."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.mock_box import ADDRESS, Look, Words, open_context, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

WORDS = Words("en")
TITLE = "A loaf for a slow morning"


@pytest.fixture
def page(browser: Browser, mock_box: str) -> Iterator[Page]:
    context = open_context(browser, mock_box, Look("phone", "light", "en"))
    yield context.new_page()
    context.close()


def _path(page: Page) -> str:
    return page.url.removeprefix(ADDRESS).split("?")[0]


def test_back_leads_from_a_conversation_to_the_list_and_from_there_to_the_start(page: Page) -> None:
    visit(page, "/chat")
    page.get_by_role("button", name=WORDS("chat.list")).click()
    page.get_by_role("link", name=TITLE).click()
    expect(page.get_by_text("Between 12 and 18 hours")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name=WORDS("chat.list"), level=1)).to_be_visible()
    assert _path(page) == "/chat/list"
    page.go_back()
    expect(page.get_by_role("textbox", name=WORDS("chat.message"))).to_be_visible()
    assert _path(page) == "/chat"


def test_back_from_a_conversation_just_begun_leads_to_the_list(page: Page) -> None:
    visit(page, "/chat")
    message = page.get_by_role("textbox", name=WORDS("chat.message"))
    message.fill("Hello")
    message.press("Enter")
    expect(page.get_by_role("button", name=WORDS("chat.good"))).to_be_attached()
    assert re.match(r"/chat/conversation-", _path(page))
    page.go_back()
    expect(page.get_by_role("link", name="Hello")).to_be_visible()
    assert _path(page) == "/chat/list"


def test_arrow_above_a_conversation_does_what_back_does(page: Page) -> None:
    visit(page, "/chat/list")
    page.get_by_role("link", name=TITLE).click()
    expect(page.get_by_text("Between 12 and 18 hours")).to_be_visible()
    page.get_by_role("button", name=WORDS("chat.list")).click()
    expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    assert _path(page) == "/chat/list"
    assert page.evaluate("history.state.idx") == 0, "the list stands in the history twice"


def test_composer_stays_above_the_keyboard(page: Page) -> None:
    visit(page, "/chat/list")
    page.get_by_role("link", name=TITLE).click()
    message = page.get_by_role("textbox", name=WORDS("chat.message"))
    message.tap()
    page.set_viewport_size({"width": 390, "height": 420})
    expect(page.get_by_role("navigation")).to_be_hidden()
    expect(message).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name=WORDS("chat.send"))).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.scrollingElement.scrollTop") == 0


def test_frame_keeps_to_what_the_keyboard_leaves_where_only_the_visual_viewport_shrinks(
    page: Page,
) -> None:
    # As on iOS: the page keeps its height, `visualViewport` tells the free one.
    page.add_init_script(
        """
        const viewport = Object.assign(new EventTarget(), { height: 844, scale: 1, offsetTop: 0 });
        Object.defineProperty(window, "visualViewport", { value: viewport });
        """
    )
    visit(page, "/chat")
    message = page.get_by_role("textbox", name=WORDS("chat.message"))
    expect(message).to_be_visible()
    page.evaluate("visualViewport.height = 430; visualViewport.dispatchEvent(new Event('resize'))")
    frame = page.locator(".frame").bounding_box()
    assert frame is not None
    assert frame["height"] == 430
