"""A real Chromium, and the web application built over its mock box."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.chromium import start_chromium
from tests.browser.mock_box import build
from tests.browser.mock_server import serving

expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = start_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def mock_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The proxy that leads to the web application over its mock box; see `open_context`."""
    with serving(build(tmp_path_factory.mktemp("ui"))) as proxy:
        yield proxy
