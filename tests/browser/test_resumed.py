"""After a power cut the person goes on with a long conversation, and sees that it is known."""

import asyncio
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.api.conftest import claim
from tests.running_box import RunningBox, start_box

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

DEADLINE_SECONDS = 60.0
LONG = " ".join(f"The code of locker {number} is {number * 37}." for number in range(40))
KNOWN = re.compile(r"(\d+) % already read")


async def _talk(box: RunningBox) -> tuple[str, int, dict[str, str]]:
    """Claim the box and say something long; return the conversation, its tokens and cookies."""
    async with httpx.AsyncClient(base_url=box.url, timeout=DEADLINE_SECONDS) as client:
        await claim(client, box.claim_code)
        end = time.monotonic() + DEADLINE_SECONDS
        while (await client.get("/readyz")).status_code != 200:
            assert time.monotonic() < end
            await asyncio.sleep(0.1)
        conversation: str = (await client.post("/api/v1/conversations", json={})).json()["id"]
        path = f"/api/v1/conversations/{conversation}/messages"
        body = {"content": LONG, "client_id": "first", "parent_id": None}
        answer = (await client.post(path, json=body)).json()["answer"]["id"]
        await client.get(f"/api/v1/generations/{answer}/events")
        messages: list[dict[str, Any]] = (await client.get(path)).json()["items"]
        usage = next(m["usage"] for m in messages if m["id"] == answer)
        return conversation, usage["prompt_tokens"], dict(client.cookies)


def _wait_until_kept(folder: Path, tokens: int) -> None:
    """Pieces have 256 tokens, and the last one may be small."""
    end = time.monotonic() + DEADLINE_SECONDS
    while len(list(folder.rglob("*.kv"))) <= tokens // 256:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_resumed_conversation_shows_that_it_was_read_already(
    browser: Browser, tmp_path: Path
) -> None:
    box = start_box(tmp_path)
    with ThreadPoolExecutor(1) as other_thread:  # this one has Playwright's event loop
        conversation, tokens, cookies = other_thread.submit(asyncio.run, _talk(box)).result()
    _wait_until_kept(tmp_path, tokens)
    box.kill()
    box = start_box(tmp_path)
    context = browser.new_context(locale="en-GB", reduced_motion="reduce")
    try:
        context.add_cookies(
            [{"name": name, "value": value, "url": box.url} for name, value in cookies.items()]
        )
        page = context.new_page()
        page.goto(f"{box.url}/chat/{conversation}")
        message = page.get_by_role("textbox", name="Message")
        message.fill("Thank you!")
        message.press("Enter")
        turns = page.get_by_role("list", name="Messages").locator("> li")
        expect(turns).to_have_count(4)
        told = turns.last.get_by_text(KNOWN)
        expect(told).to_be_visible(timeout=DEADLINE_SECONDS * 1000)
        share = KNOWN.search(told.inner_text())
        assert share is not None
        assert int(share[1]) > 90
    finally:
        context.close()
        box.stop()
