"""`make screenshot`: the README's picture, taken from a real box in a real browser."""

import sys
import tempfile
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

from tests.browser.chromium import start_chromium
from tests.running_box import RunningBox, running_box

PASSAGE = "The alarm code is 7391. The garage code is 2846.\n\nWhat is the garage code?"


def main(target: Path) -> None:
    """Claim a box, ask it something, and keep what is seen."""
    with tempfile.TemporaryDirectory() as folder, running_box(Path(folder)) as box:
        claim(box)
        with sync_playwright() as playwright:
            browser = start_chromium(playwright)
            page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
            sign_in_and_ask(page, box)
            target.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=target)
            browser.close()


def claim(box: RunningBox) -> None:
    """Go through the wizard by its API."""
    with httpx.Client(base_url=f"{box.url}/api/v1/onboarding") as wizard:
        steps: list[tuple[str, str, dict[str, object]]] = [
            ("PUT", "/language", {"language": "en"}),
            ("POST", "/claim", {"code": box.claim_code}),
            ("PUT", "/owner", {"name": "Ana", "password": "three quiet lanterns"}),
            ("PUT", "/recovery-saved", {}),
            ("PUT", "/box", {"name": "Kitchen", "time_zone": "Europe/Berlin"}),
            ("PUT", "/model", {"model_id": "allerac-demo", "download": False}),
            ("PUT", "/privacy", {"automatic_updates": True, "update_hour": 3}),
            ("POST", "/finish", {}),
        ]
        for method, path, body in steps:
            wizard.request(method, path, json=body).raise_for_status()


def sign_in_and_ask(page: Page, box: RunningBox) -> None:
    """Ask a question about a passage and wait for the answer."""
    page.goto(box.url)
    page.get_by_label("Your name").fill("Ana")
    page.get_by_label("Password").fill("three quiet lanterns")
    page.get_by_role("button", name="Sign in").click()
    message = page.get_by_role("textbox", name="Message")
    message.fill(PASSAGE)
    message.press("Enter")
    page.get_by_role("button", name="Good answer").wait_for(state="attached")
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
