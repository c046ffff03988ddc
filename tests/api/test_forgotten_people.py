"""Whoever leaves the household leaves nothing of what the engine has read for them."""

from pathlib import Path

import httpx
import pytest

from tests.engine.kept_files import pieces_of

from .conftest import claim
from .fresh_box import invite, join
from .test_resumed_conversation import LONG, ask, box, ready, until


async def _ask_long(client: httpx.AsyncClient) -> None:
    made = await client.post("/api/v1/conversations", json={})
    await ask(client, made.json()["id"], LONG, None)


@pytest.mark.timeout(240)
async def test_files_of_a_deleted_person_are_gone(tmp_path: Path) -> None:
    async with box(tmp_path) as (app, owner):
        await claim(owner, app.state.services.onboarding.claim_code())
        await ready(app)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", timeout=60
        ) as member:
            joined = await join(member, await invite(owner), "Ben")
            person_id = joined.json()["person"]["id"]
            await _ask_long(member)
        await _ask_long(owner)
        me = (await owner.get("/api/v1/session")).json()["person"]["id"]
        await until(lambda: pieces_of(tmp_path, person_id) and pieces_of(tmp_path, me))
        removed = await owner.delete(f"/api/v1/people/{person_id}")
        assert removed.status_code == 204, removed.text
        await until(lambda: not pieces_of(tmp_path, person_id))
        assert pieces_of(tmp_path, me)
