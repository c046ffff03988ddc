"""Assistants and memories over HTTP: whose they are, and that they change what is answered."""

import asyncio
import json
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.api.conftest import Household

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASE = "/api/v1"
SECONDS = 60


async def make(household: Household, who: str, **body: Any) -> Any:
    made = await household.clients[who].post(f"{BASE}/assistants", json=body)
    assert made.status_code == 201, made.text
    return made.json()


async def names(household: Household, who: str, **query: Any) -> list[str]:
    found = await household.clients[who].get(f"{BASE}/assistants", params=query)
    return [each["name"] for each in found.json()["items"]]


async def said(household: Household, who: str, question: str, scope: Any = None) -> str:
    client = household.clients[who]
    conversation = (await client.post(f"{BASE}/conversations", json={})).json()["id"]
    if scope is not None:
        await client.put(f"{BASE}/conversations/{conversation}/scope", json=scope)
    body = {"content": question, "client_id": "one", "parent_id": None}
    path = f"{BASE}/conversations/{conversation}/messages"
    answer = (await client.post(path, json=body)).json()["answer"]["id"]
    async with asyncio.timeout(SECONDS):
        await client.get(f"{BASE}/generations/{answer}/events")
    text: str = (await client.get(path)).json()["items"][-1]["content"]
    return text


@pytest.mark.parametrize(
    "template", ["household_helper", "homework_coach", "letter_writer", "document_expert"]
)
async def test_every_template_makes_an_assistant(household: Household, template: str) -> None:
    made = await make(household, "admin", template=template, name=f"My {template}")
    assert made["name"] == f"My {template}"
    assert made["instructions"]
    assert made["starters"]
    assert made["mine"]


async def test_assistant_is_private_until_it_is_shared(household: Household) -> None:
    made = await make(household, "member", name="Shy")
    assert "Shy" not in await names(household, "owner")
    path = f"{BASE}/assistants/{made['id']}"
    await household.clients["member"].patch(path, json={"visibility": "household"})
    assert "Shy" in await names(household, "owner")
    assert "Shy" not in await names(household, "guest")
    refused = await household.clients["owner"].patch(path, json={"name": "Mine"})
    assert refused.status_code == 403
    copied = await household.clients["owner"].post(f"{path}/duplicate", json={"name": "Copy"})
    assert (copied.json()["visibility"], copied.json()["mine"]) == ("private", True)


async def test_deleted_assistant_can_be_restored(household: Household) -> None:
    made = await make(household, "member", name="Gone")
    path = f"{BASE}/assistants/{made['id']}"
    assert (await household.clients["member"].delete(path)).status_code == 204
    assert "Gone" not in await names(household, "member")
    assert "Gone" in await names(household, "member", deleted=True)
    await household.clients["member"].post(f"{path}/restore")
    assert "Gone" in await names(household, "member")


async def test_unknown_models_and_documents_are_refused(household: Household) -> None:
    member = household.clients["member"]
    for field in ({"model_id": "nobody"}, {"file_ids": ["nothing"]}):
        refused = await member.post(f"{BASE}/assistants", json={"name": "x", **field})
        assert refused.status_code == 404, refused.text
    assert (await member.post(f"{BASE}/assistants", json={"name": " "})).status_code == 422


async def test_instructions_of_the_assistant_are_what_is_answered_from(
    household: Household,
) -> None:
    facts = "Answer only from this: The garage code is 2846. The boiler model is Viessmann 200."
    made = await make(household, "member", name="Knows", instructions=facts)
    scope = {"assistant_id": made["id"], "uses_knowledge": False, "folder": None}
    assert "2846" in await said(household, "member", "What is the garage code?", scope)


async def _conversations(client: httpx.AsyncClient) -> list[str]:
    """Return which there are; their titles come when the box is idle."""
    items = (await client.get(f"{BASE}/conversations")).json()["items"]
    return [item["id"] for item in items]


async def test_assistant_is_tried_as_it_stands_in_the_editor_and_nothing_is_kept(
    household: Household,
) -> None:
    member = household.clients["member"]
    before = await _conversations(member)
    body: dict[str, Any] = {
        "instructions": "Answer only from this: The cellar code is 5190.",
        "uses_knowledge": False,
        "turns": [{"role": "user", "content": "What is the cellar code?"}],
    }
    async with asyncio.timeout(SECONDS):
        told = await member.post(f"{BASE}/assistants/trial", json=body)
    assert told.headers["content-type"].startswith("text/event-stream")
    assert "5190" in "".join(
        json.loads(line.removeprefix("data: "))["text"]
        for kind, line in pairwise(told.text.splitlines())
        if kind == "event: delta"
    )
    assert told.text.count("event: done") == 1
    assert await _conversations(member) == before

    for change, status in (({"model_id": "nobody"}, 404), ({"turns": []}, 422), ({"x": 1}, 422)):
        refused = await member.post(f"{BASE}/assistants/trial", json={**body, **change})
        assert refused.status_code == status, refused.text


async def test_what_is_asked_to_be_remembered_is_kept_and_where_it_was_said(
    household: Household,
) -> None:
    await said(household, "owner", "Remember that the vault code is 7731.")
    await said(household, "owner", "My doctor is called Weber.")
    memories = (await household.clients["owner"].get(f"{BASE}/memories")).json()
    found = {each["content"]: each for each in memories["items"]}
    kept, proposed = found["the vault code is 7731"], found["My doctor is called Weber"]
    assert (kept["state"], proposed["state"]) == ("kept", "proposed")
    assert kept["conversation_id"]
    path = f"{BASE}/conversations/{proposed['conversation_id']}/messages"
    answer = (await household.clients["owner"].get(path)).json()["items"][-1]
    assert (proposed["message_id"], answer["role"]) == (answer["id"], "assistant")

    others = (await household.clients["member"].get(f"{BASE}/memories")).json()
    assert others["items"] == []
    path = f"{BASE}/memories/{proposed['id']}"
    assert (await household.clients["member"].delete(path)).status_code == 404
    confirmed = await household.clients["owner"].patch(path, json={"confirmed": True})
    assert confirmed.json()["state"] == "kept"
    changed = await household.clients["owner"].patch(
        path, json={"content": "The doctor is Dr. Weber"}
    )
    assert changed.json()["content"] == "The doctor is Dr. Weber"
    assert (await household.clients["owner"].delete(path)).status_code == 204


async def test_switched_off_memories_are_neither_used_nor_proposed(household: Household) -> None:
    admin = household.clients["admin"]
    await admin.put(f"{BASE}/memories/enabled", json={"enabled": False})
    await said(household, "admin", "Remember that the shed is green.")
    memories = (await admin.get(f"{BASE}/memories")).json()
    assert memories == {"enabled": False, "items": []}


async def test_usual_model_answers_where_the_assistant_s_is_not_on_the_box(
    household: Household,
) -> None:
    member = household.clients["member"]
    models = (await member.get(f"{BASE}/models")).json()["items"]
    absent = next(each["id"] for each in models if each["state"] != "installed")
    facts = "Answer only from this: The garage code is 2846. The boiler model is Viessmann 200."
    made = await make(household, "member", name="Large", instructions=facts, model_id=absent)
    scope = {"assistant_id": made["id"], "uses_knowledge": False, "folder": None}
    assert "2846" in await said(household, "member", "What is the garage code?", scope)


async def test_model_of_an_assistant_goes_with_it_and_one_s_own_choice_stays(
    household: Household,
) -> None:
    member = household.clients["member"]
    models = (await member.get(f"{BASE}/models")).json()["items"]
    demo, other = (
        next(each["id"] for each in models if each["is_demo"] is is_demo)
        for is_demo in (True, False)
    )
    made = await make(household, "member", name="Other", model_id=other)
    conversation = (await member.post(f"{BASE}/conversations", json={})).json()["id"]
    path = f"{BASE}/conversations/{conversation}"

    async def model_under(assistant_id: str | None) -> str | None:
        scope = {"assistant_id": assistant_id, "uses_knowledge": False, "folder": None}
        assert (await member.put(f"{path}/scope", json=scope)).status_code == 200
        chosen: str | None = (await member.get(path)).json()["model_id"]
        return chosen

    assert await model_under(made["id"]) == other
    assert await model_under(None) is None
    assert await model_under(made["id"]) == other
    await member.patch(path, json={"model_id": demo})
    assert await model_under(made["id"]) == demo
    assert await model_under(None) == demo
