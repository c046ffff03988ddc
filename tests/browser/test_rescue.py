"""The rescue page in a browser: read, touched and used, without a line of script."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from allerac_rescue.acts import perform
from allerac_rescue.places import Places
from allerac_rescue.programs import Told
from tests.browser.audit import faults, violations
from tests.browser.mock_box import PAIRWISE, SIZES, Look
from tests.rescue.rescued_box import LABEL, NotedPrograms, lay_out, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def programs() -> NotedPrograms:
    noted = NotedPrograms()
    noted.systemd_says("activating", restarts=7)
    noted.answers["journalctl"] = Told(0, "allerac.service: Main process exited\n" * 40)
    return noted


@pytest.fixture
def places(tmp_path: Path, programs: NotedPrograms) -> Places:
    """A box whose runtime ends again and again, with a download that fills the disk."""
    made = lay_out(tmp_path / "box")
    (made.allerac / "downloads").mkdir()
    (made.allerac / "downloads/half").write_bytes(b"x" * 2_000_000)
    perform("inspect", made, programs)
    return made


@pytest.fixture
def address(places: Places, programs: NotedPrograms) -> Iterator[str]:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        serving(listening, places, programs),
    ):
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def _look(page: Page, is_touched: bool) -> None:
    assert faults(page, is_touched=is_touched) == []
    assert violations(page) == []


@pytest.mark.parametrize("look", PAIRWISE, ids=str)
def test_every_page_reads_well_and_can_be_touched(
    browser: Browser, address: str, places: Places, look: Look
) -> None:
    width, height = SIZES[look.size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if look.scheme == "dark" else "light",
        locale=look.language,
    )
    page, is_touched = context.new_page(), look.is_touched
    try:
        page.goto(address)
        _look(page, is_touched)
        page.locator("#code").fill(LABEL)
        page.get_by_role("button").click()
        (places.requests / "inspect").unlink()
        perform("inspect", places, NotedPrograms())
        expect(page.locator(".legend li").first).to_be_visible()
        _look(page, is_touched)
        page.locator("button.danger").click()
        expect(page.locator("#word")).to_be_visible()
        _look(page, is_touched)
    finally:
        context.close()


def test_space_is_freed_without_script(
    browser: Browser, address: str, places: Places, programs: NotedPrograms
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en")
    page = context.new_page()
    try:
        page.goto(f"{address}/chat")
        page.get_by_label("Code").fill(LABEL.lower())
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("button", name="Free space").click()
        page.get_by_role("button", name="Yes: Free space").click()
        expect(page.get_by_text("On it")).to_be_visible()
        perform("free-space", places, programs)
        expect(page.get_by_text("became free")).to_be_visible()
        assert list((places.allerac / "downloads").iterdir()) == []
    finally:
        context.close()
