"""Conversations over HTTP: what the lists promise, and what the next message would meet."""

import asyncio

import httpx
import pytest

from .conftest import Household

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONVERSATIONS = "/api/v1/conversations"
READ_SECONDS = 60


async def _conversation(client: httpx.AsyncClient, title: str) -> str:
    made = await client.post("/api/v1/conversations", json={})
    conversation_id: str = made.json()["id"]
    changed = await client.patch(f"/api/v1/conversations/{conversation_id}", json={"title": title})
    assert changed.status_code == 200, changed.text
    return conversation_id


async def test_search_goes_on_from_its_cursor_and_marks_what_it_found(household: Household) -> None:
    client = household.clients["guest"]
    ids = {await _conversation(client, f"Packing list number {n}") for n in range(3)}
    found: list[str] = []
    query: dict[str, str | int] = {"query": "packing", "limit": 2}
    while True:
        page = (await client.get("/api/v1/conversations", params=query)).json()
        for item in page["items"]:
            ((start, end),) = item["snippet"]["marks"]
            assert item["snippet"]["text"][start:end] == "Packing"
        found += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert (len(found), set(found)) == (3, ids)


async def _said(client: httpx.AsyncClient, content: str) -> str:
    """Say it in a new conversation and wait for the answer; returns the conversation's id."""
    made = await client.post("/api/v1/conversations", json={})
    conversation_id: str = made.json()["id"]
    body = {"content": content, "client_id": content, "parent_id": None}
    sent = await client.post(f"/api/v1/conversations/{conversation_id}/messages", json=body)
    assert sent.is_success, sent.text
    await client.get(f"/api/v1/generations/{sent.json()['answer']['id']}/events")
    return conversation_id


async def test_search_finds_by_meaning_what_one_said_oneself_and_nobody_elses(
    household: Household,
) -> None:
    said = "The boiler in the holiday flat is repaired by Smith and Sons."
    own = await _said(household.clients["member"], said)
    query = {"query": "Who repairs the heater in the holiday flat?"}
    async with asyncio.timeout(READ_SECONDS):
        while True:
            page = (await household.clients["member"].get(CONVERSATIONS, params=query)).json()
            if page["items"]:
                break
            await asyncio.sleep(0.2)  # messages are read when the box has nothing else to do
    (item,) = page["items"]
    assert item["id"] == own
    assert item["snippet"] == {"text": said, "marks": [], "by_meaning": True}
    for other in ("owner", "admin", "guest"):
        page = (await household.clients[other].get(CONVERSATIONS, params=query)).json()
        assert page["items"] == [], other


async def test_archived_conversations_are_left_out_shown_or_alone(household: Household) -> None:
    client = household.clients["admin"]
    shown, away = [await _conversation(client, f"Letter {n}") for n in range(2)]
    await client.patch(f"/api/v1/conversations/{away}", json={"archived": True})
    wanted = {"": {shown}, "exclude": {shown}, "only": {away}, "include": {shown, away}}
    for archived, ids in wanted.items():
        for query in ({}, {"query": "letter"}):
            params = {**query, **({"archived": archived} if archived else {})}
            page = (await client.get("/api/v1/conversations", params=params)).json()
            assert {item["id"] for item in page["items"]} == ids
    refused = await client.get("/api/v1/conversations", params={"archived": "perhaps"})
    assert refused.status_code == 422


async def test_a_draft_is_measured_by_the_models_own_tokenizer(household: Household) -> None:
    client = household.clients["member"]
    url = f"/api/v1/conversations/{household.ids['conversation_id']}"
    empty = (await client.post(f"{url}/context", json={})).json()
    assert empty == (await client.get(url)).json()["context"]
    assert (empty["draft_tokens"], empty["is_estimate"], empty["fits"]) == (0, False, True)
    long = (await client.post(f"{url}/context", json={"draft": "tea " * 3000})).json()
    assert long["draft_tokens"] > long["limit_tokens"]
    assert not long["fits"]
    refused = await client.post(f"{url}/context", json={"draft": "a" * 1_000_001})
    assert refused.status_code == 422
