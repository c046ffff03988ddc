"""After going back, each version reads what the other one wrote."""

import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from allerac.storage.inspection import inspect_database
from tests.api.fresh_box import fresh_box

from .newer_version import NEWER_SCHEMA, NewerVersion

CONVERSATIONS = "/api/v1/conversations"


async def _say(browser: httpx.AsyncClient, conversation: str, content: str) -> None:
    body = {
        "content": content,
        "client_id": content,
        "parent_id": await _leaf(browser, conversation),
    }
    sent = await browser.post(f"{CONVERSATIONS}/{conversation}/messages", json=body)
    assert sent.is_success, sent.text
    await browser.get(f"/api/v1/generations/{sent.json()['answer']['id']}/events")


async def _leaf(browser: httpx.AsyncClient, conversation: str) -> Any:
    return (await browser.get(f"{CONVERSATIONS}/{conversation}")).json()["leaf_id"]


async def _contents(browser: httpx.AsyncClient, conversation: str) -> list[str]:
    answer = await browser.get(f"{CONVERSATIONS}/{conversation}/messages")
    assert answer.is_success, answer.text
    return [message["content"] for message in answer.json()["items"]]


async def test_what_either_version_acknowledged_both_read(tmp_path: Path) -> None:
    path = tmp_path / "allerac.sqlite"
    async with fresh_box(tmp_path) as box:
        browser = await box.owner()
        conversation = (await browser.post(CONVERSATIONS, json={})).json()["id"]
        await _say(browser, conversation, "before the update")

    newer = NewerVersion(path)
    newer.migrate()
    newer.write(conversation, "in the new version")
    newer.remind("water the plants")
    newer.close()
    assert inspect_database(path).claimed

    async with fresh_box(tmp_path) as box:
        assert await box.database.check_integrity() == []
        browser = await box.sign_in("Ana")
        assert await _contents(browser, conversation) == [
            "before the update",
            "Hello.",
            "in the new version",
            "About in the new version",
        ]
        await _say(browser, conversation, "after going back")
        search = await browser.get(CONVERSATIONS, params={"query": "going back"})
        assert [found["id"] for found in search.json()["items"]] == [conversation]

    newer = NewerVersion(path)
    assert newer.schema() == NEWER_SCHEMA
    assert newer.contents(conversation).count("after going back") == 1
    assert len(newer.contents(conversation)) == 6
    assert newer.reminders() == ["water the plants"]
    sys.stdout.write(f"read by both versions: {newer.contents(conversation)}\n")
    newer.close()


async def test_a_person_may_be_removed_in_the_version_before(tmp_path: Path) -> None:
    async with fresh_box(tmp_path) as box:
        browser = await box.owner()
        conversation = (await browser.post(CONVERSATIONS, json={})).json()["id"]
    newer = NewerVersion(tmp_path / "allerac.sqlite")
    newer.migrate()
    newer.write(conversation, "in the new version")
    newer.close()
    async with fresh_box(tmp_path) as box:
        browser = await box.sign_in("Ana")
        deleted = await browser.delete(f"{CONVERSATIONS}/{conversation}")
        assert deleted.is_success
        assert (await browser.get(CONVERSATIONS)).json()["items"] == []


@pytest.mark.parametrize("steps", [1, 7])
async def test_any_newer_schema_is_left_as_it_is(tmp_path: Path, steps: int) -> None:
    async with fresh_box(tmp_path) as box:
        await box.owner()
    newer = NewerVersion(tmp_path / "allerac.sqlite")
    newer.migrate()
    newer._connection.execute(f"PRAGMA user_version={NEWER_SCHEMA + steps}")
    newer.close()
    async with fresh_box(tmp_path) as box:
        assert (await (await box.sign_in("Ana")).get("/api/v1/session")).is_success
    assert inspect_database(tmp_path / "allerac.sqlite").schema == NEWER_SCHEMA + steps
