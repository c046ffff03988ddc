"""The whole application in this process, with a household of every kind of person."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest_asyncio
from fastapi import FastAPI

from allerac.accounts import Passwords
from allerac.app import create_app
from allerac.settings import Settings
from tests import pictures

PASSWORD = "three quiet lanterns"  # noqa: S105 - made up
READY_SECONDS = 30


@dataclass(slots=True)
class Household:
    """A claimed box and clients for everybody; `ids` has objects that belong to `member`."""

    app: FastAPI
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def open(self, name: str, **headers: str) -> httpx.AsyncClient:
        """Return a new browser (or program) called `name`."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers, timeout=30
        )
        self.clients[name] = client
        return client


async def claim(client: httpx.AsyncClient, code: str | None) -> None:
    """Go through the wizard."""
    base = "/api/v1/onboarding"
    steps: list[tuple[str, str, dict[str, object] | None]] = [
        ("PUT", "/language", {"language": "en"}),
        ("POST", "/claim", {"code": code}),
        ("PUT", "/owner", {"name": "Ana", "password": PASSWORD}),
        ("PUT", "/recovery-saved", None),
        ("PUT", "/box", {"name": "Kitchen", "time_zone": "Europe/Berlin"}),
        ("PUT", "/model", {"model_id": "allerac-demo", "download": False}),
        ("PUT", "/privacy", {"automatic_updates": True, "update_hour": 3}),
        ("POST", "/finish", None),
    ]
    for method, path, body in steps:
        response = await client.request(method, base + path, json=body)
        assert response.is_success, response.text


async def _join(household: Household, name: str, role: str) -> str:
    owner = household.clients["owner"]
    made = await owner.post("/api/v1/invitations", json={"role": role})
    token = made.json()["url"].rsplit("/", 1)[1]
    body = {"name": name, "password": f"{PASSWORD} too", "language": "en"}
    joined = await household.open(name).post(f"/api/v1/join/{token}", json=body)
    assert joined.status_code == 201, joined.text
    person_id: str = joined.json()["person"]["id"]
    return person_id


async def _settle(household: Household) -> None:
    """Give the member a conversation with an answer, a key, and wait for the model."""
    member = household.clients["member"]
    async with asyncio.timeout(READY_SECONDS):
        while (await member.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - the box has no event to wait on
            await asyncio.sleep(0.05)
    made = await member.post("/api/v1/conversations", json={})
    conversation = made.json()["id"]
    body = {"content": "Hello", "client_id": "first", "parent_id": None}
    sent = await member.post(f"/api/v1/conversations/{conversation}/messages", json=body)
    answer = sent.json()["answer"]["id"]
    await member.get(f"/api/v1/generations/{answer}/events")
    picture = await member.post(
        f"/api/v1/conversations/{conversation}/pictures/first",
        content=pictures.png(),
        headers={"Content-Type": "application/octet-stream"},
    )
    key = await member.post("/api/v1/api-keys", json={"name": "program"})
    household.ids |= {
        "conversation_id": conversation,
        "message_id": answer,
        "generation_id": answer,
        "picture_id": picture.json()["id"],
        "key_id": key.json()["id"],
    }
    household.open("program", Authorization=f"Bearer {key.json()['key']}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def household(tmp_path_factory: "object") -> AsyncIterator[Household]:
    """A claimed box with owner, admin, member, guest, disabled person, program and stranger."""
    folder: Path = tmp_path_factory.mktemp("box")  # type: ignore[attr-defined]  # pytest's factory
    settings = Settings(data_dir=folder, announce=False)
    app = create_app(settings, port=80, passwords=Passwords(memory_kib=64, passes=1))
    async with app.router.lifespan_context(app):
        home = Household(app)
        home.open("anonymous")
        await claim(home.open("owner"), app.state.services.onboarding.claim_code())
        for name in ("admin", "member", "guest"):
            home.ids[f"{name}_person"] = await _join(home, name, name)
        home.ids["disabled_person"] = await _join(home, "disabled", "member")
        await _settle(home)
        await home.clients["owner"].patch(
            f"/api/v1/people/{home.ids['disabled_person']}", json={"disabled": True}
        )
        yield home
        for client in home.clients.values():
            await client.aclose()
