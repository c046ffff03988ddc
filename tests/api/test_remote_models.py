"""Models elsewhere: added by the owner, asked like any other, and never told a word too many."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.engine.scripted_server import (
    DONE,
    STREAM,
    ScriptedServer,
    chunk,
    end,
    scripted_server,
    status,
)

from .conftest import Household

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "sk-not-to-be-told"
URL = "/api/v1/remote-models"
ANSWER_SECONDS = 20


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as started:
        yield started


async def _add(client: httpx.AsyncClient, server: ScriptedServer) -> str:
    body = {"title": "Cloud", "base_url": server.url, "model": "big", "key": KEY}
    made = await client.post(URL, json={**body, "allow_private": True})
    assert made.status_code == 201, made.text
    model_id: str = made.json()["id"]
    return model_id


async def test_there_are_none_until_the_owner_adds_one(household: Household) -> None:
    listed = await household.clients["guest"].get(URL)
    assert listed.json() == {"items": []}


async def test_place_in_the_home_network_must_be_confirmed(
    household: Household, server: ScriptedServer
) -> None:
    body = {"title": "Cloud", "base_url": server.url, "model": "big"}
    refused = await household.clients["owner"].post(URL, json=body)
    assert refused.status_code == 422
    assert "base_url" in refused.json()["error"]["fields"]
    assert not server.requests


async def test_question_goes_there_and_the_answer_carries_its_mark(
    household: Household, server: ScriptedServer
) -> None:
    owner = household.clients["owner"]
    model_id = await _add(owner, server)
    listed = (await household.clients["guest"].get(URL)).text
    assert KEY not in listed
    assert json.loads(listed)["items"][0]["host"] == "127.0.0.1"
    server.plays(STREAM, chunk(content="From afar."), end(), DONE)
    made = (await owner.post("/api/v1/conversations", json={"model_id": model_id})).json()
    messages = f"/api/v1/conversations/{made['id']}/messages"
    body = {"content": "Hello", "client_id": "one", "parent_id": None}
    sent = (await owner.post(messages, json=body)).json()
    async with asyncio.timeout(ANSWER_SECONDS):
        await owner.get(f"/api/v1/generations/{sent['answer']['id']}/events")
    answer = (await owner.get(messages)).json()["items"][-1]
    assert (answer["content"], answer["model_id"]) == ("From afar.", model_id)
    assert server.requests[0][1]["authorization"] == f"Bearer {KEY}"
    removed = await owner.delete(f"{URL}/{model_id}")
    assert removed.status_code == 204


async def test_form_that_a_program_asks_for_reaches_the_model_elsewhere(
    household: Household, server: ScriptedServer
) -> None:
    owner = household.clients["owner"]
    model_id = await _add(owner, server)
    schema = {"type": "object", "properties": {"a": {"type": "null", "default": None}}}
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    body = {
        "model": model_id,
        "messages": [{"role": "user", "content": "Hello"}],
        "response_format": form,
    }
    program = household.clients["program"]
    server.plays(STREAM, chunk(content="{}"), end(), DONE)
    answered = await program.post("/v1/chat/completions", json=body)
    assert answered.json()["choices"][0]["message"]["content"] == "{}"
    assert server.requests[0][2]["response_format"] == form
    refused = await program.post("/v1/chat/completions", json={**body, "top_k": 3})
    assert refused.status_code == 400
    assert "top_k" in refused.json()["error"]["message"]
    await owner.delete(f"{URL}/{model_id}")


async def test_switched_off_model_is_asked_no_more(
    household: Household, server: ScriptedServer
) -> None:
    owner = household.clients["owner"]
    model_id = await _add(owner, server)
    changed = await owner.patch(f"{URL}/{model_id}", json={"enabled": False, "title": "Off"})
    assert (changed.json()["enabled"], changed.json()["title"]) == (False, "Off")
    refused = await owner.post("/api/v1/conversations", json={"model_id": model_id})
    assert refused.status_code == 404
    assert not server.requests
    await owner.delete(f"{URL}/{model_id}")


async def test_check_tells_whether_the_model_is_offered(
    household: Household, server: ScriptedServer
) -> None:
    owner = household.clients["owner"]
    model_id = await _add(owner, server)
    server.plays(status(200, b'{"data": [{"id": "big"}]}'))
    assert (await owner.post(f"{URL}/{model_id}/check")).json() == {"ok": True}
    server.plays(status(401))
    assert (await owner.post(f"{URL}/{model_id}/check")).status_code == 503
    await owner.delete(f"{URL}/{model_id}")


async def test_key_is_not_in_the_database(
    household: Household, server: ScriptedServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    owner = household.clients["owner"]
    model_id = await _add(owner, server)
    folder = tmp_path_factory.getbasetemp()
    stored = [file.read_bytes() for file in folder.rglob("allerac.sqlite*")]
    assert not any(KEY.encode() in content for content in stored)
    assert any(model_id.encode() in content for content in stored)
    await owner.delete(f"{URL}/{model_id}")
