"""A long paper is seen to be read, the power goes, and after the start it becomes ready."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.claimed_box import ClaimedBox, claimed_box
from tests.faults.papers import long_paper

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

PATIENCE_MS = 300_000
SECTIONS = 1_500
"""So many that it is read for much longer than the page waits between two looks."""
NAME = "house.md"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[ClaimedBox]:
    with ThreadPoolExecutor(1) as thread:  # this one has Playwright's event loop
        claimed = claimed_box(tmp_path, profile="vm")
        yield thread.submit(claimed.__enter__).result()
        thread.submit(claimed.__exit__, None, None, None).result()


@pytest.fixture
def page(box: ClaimedBox, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    url = box.running.url
    context.add_cookies([{"name": n, "value": v, "url": url} for n, v in box.cookies.items()])
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def test_document_that_was_read_when_the_power_went_becomes_ready_after_the_start(
    box: ClaimedBox, page: Page
) -> None:
    page.goto(f"{box.running.url}/library")
    content = long_paper("harbour ", SECTIONS)
    page.locator("section[aria-label='Add documents'] input[type=file]").set_input_files(
        {"name": NAME, "mimeType": "text/markdown", "buffer": content}
    )
    row = page.get_by_role("listitem").filter(has_text=NAME)
    progress = row.get_by_role("progressbar", name="Understanding")
    ready = row.get_by_text("Ready", exact=True)
    expect(progress.or_(ready)).to_be_visible(timeout=PATIENCE_MS)  # a fast machine shows no bar
    box.running.kill()

    box.start()
    page.goto(f"{box.running.url}/library")
    expect(ready).to_be_visible(timeout=PATIENCE_MS)
    expect(row).to_contain_text(f"{SECTIONS + 1} passages")
