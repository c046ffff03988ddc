"""Box and engine were restarted; the next question of a conversation is answered at once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from allerac.accounts import Passwords
from allerac.app import create_app
from allerac.settings import Settings

from .conftest import PASSWORD, claim

DEADLINE_SECONDS = 60.0
LONG = " ".join(f"The code of locker {number} is {number * 37}." for number in range(40))


@asynccontextmanager
async def box(folder: Path) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    settings = Settings(data_dir=folder, announce=False)
    app = create_app(settings, port=80, passwords=Passwords(memory_kib=64, passes=1))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", timeout=DEADLINE_SECONDS
        ) as client:
            yield app, client


async def until(claim_holds: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not claim_holds():  # noqa: ASYNC110 - files and processes have no event to wait for
            await asyncio.sleep(0.05)


async def ready(app: FastAPI) -> None:
    await until(lambda: app.state.runtime.engine.status().state == "ready")


async def ask(
    client: httpx.AsyncClient, conversation: str, text: str, parent: str | None
) -> dict[str, Any]:
    body = {"content": text, "client_id": text[:20], "parent_id": parent}
    sent = await client.post(f"/api/v1/conversations/{conversation}/messages", json=body)
    assert sent.status_code == 201, sent.text
    answer_id = sent.json()["answer"]["id"]
    await client.get(f"/api/v1/generations/{answer_id}/events")
    listed = await client.get(f"/api/v1/conversations/{conversation}/messages")
    answer: dict[str, Any] = next(m for m in listed.json()["items"] if m["id"] == answer_id)
    assert answer["status"] == "complete", answer
    return answer


def files_in(folder: Path) -> list[Path]:
    return list(folder.rglob("*.kv"))


@pytest.mark.timeout(240)
async def test_resumed_conversation_is_not_read_again_after_a_restart(tmp_path: Path) -> None:
    async with box(tmp_path) as (app, client):
        await claim(client, app.state.services.onboarding.claim_code())
        await ready(app)
        made = await client.post("/api/v1/conversations", json={})
        conversation = made.json()["id"]
        first = await ask(client, conversation, LONG, None)
        size = first["usage"]["prompt_tokens"] // 256
        await until(lambda: len(files_in(tmp_path)) > size)
    async with box(tmp_path) as (app, client):
        signed_in = await client.post("/api/v1/session", json={"name": "Ana", "password": PASSWORD})
        assert signed_in.is_success, signed_in.text
        await ready(app)
        second = await ask(client, conversation, "Thank you!", first["id"])
    cold, warm = first["usage"], second["usage"]
    assert cold["cached_tokens"] < 0.2 * cold["prompt_tokens"]
    assert warm["cached_tokens"] > 0.9 * warm["prompt_tokens"]
    assert warm["first_token_seconds"] < cold["first_token_seconds"]
