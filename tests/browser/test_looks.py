"""What the browser tests lean on: a look finds what is wrong, and there is nothing but the box."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Page

from tests.browser.audit import faults, violations
from tests.browser.mock_box import ADDRESS, Look, open_context

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

PAGE = """<!doctype html><html lang=en><title>A page</title>
<meta name=viewport content="width=device-width, initial-scale=1">
<main><h1>A page</h1>{}</main>"""


@pytest.fixture(scope="module")
def page(browser: Browser, mock_box: str) -> Iterator[Page]:
    context = open_context(browser, mock_box, Look("phone", "light", "en"))
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("<img src='/favicon.svg'>", "image-alt"),
        ("<p style='color: #aaa; background: #fff'>Pale</p>", "color-contrast"),
        ("<button></button>", "button-name"),
        ("<input>", "label"),
        ("<ul><p>Not a row</p></ul>", "list"),
    ],
)
def test_axe_finds_the_rule_that_is_broken_and_where(page: Page, body: str, rule: str) -> None:
    page.set_content(PAGE.format(body))
    [told] = violations(page)
    assert told.startswith(f"{rule}: <{body[1:3].rstrip('>')}")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<div style='width: 900px'>Wide</div>", "the page is 9"),
        ("<button style='height: 20px'>Small</button>", "small: <button> Small"),
        ("<p style='width: 20px; overflow: hidden'>Unbroken</p>", "cut: <p> Unbroken"),
    ],
)
def test_audit_finds_what_does_not_fit(page: Page, body: str, fault: str) -> None:
    page.set_content(PAGE.format(body))
    assert any(told.startswith(fault) for told in faults(page, is_touched=True))


def test_good_page_has_nothing_to_be_told(page: Page) -> None:
    page.set_content(PAGE.format("<p>All is well.</p>"))
    assert violations(page) == []
    assert faults(page, is_touched=True) == []


def test_there_is_no_other_host_and_no_other_asset(page: Page) -> None:
    missing = page.goto(f"{ADDRESS}/assets/missing.js")
    assert missing is not None
    assert missing.status == 404
    outside = page.goto("http://elsewhere.example/")
    assert outside is not None
    assert outside.status == 502
    with pytest.raises(Error, match="ERR_TUNNEL_CONNECTION_FAILED"):
        page.goto("https://elsewhere.example/")
