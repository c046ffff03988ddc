"""The first question to an assistant finds its instructions read, also after a restart."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.engine.kept_files import pieces_of

from .conftest import PASSWORD, claim
from .test_resumed_conversation import ask, box, ready, until

INSTRUCTIONS = " ".join(
    f"Shelf {number} holds box {number * 7} of the cellar." for number in range(30)
)
KEPT_PIECE_TOKENS = 32
"""Fewer at the end of a prompt are not worth a file, and are read again."""


async def _first_question(client: httpx.AsyncClient, assistant_id: str, text: str) -> Any:
    """Ask in a new conversation; returns what the answer cost."""
    made = await client.post("/api/v1/conversations", json={})
    conversation = made.json()["id"]
    scope = {"assistant_id": assistant_id}
    set_scope = await client.put(f"/api/v1/conversations/{conversation}/scope", json=scope)
    assert set_scope.is_success, set_scope.text
    return (await ask(client, conversation, text, None))["usage"]


@pytest.mark.timeout(240)
async def test_first_question_finds_the_instructions_read(tmp_path: Path) -> None:
    async with box(tmp_path) as (app, client):
        await claim(client, app.state.services.onboarding.claim_code())
        await ready(app)
        body = {"name": "Cellar", "instructions": INSTRUCTIONS, "uses_knowledge": False}
        made = await client.post("/api/v1/assistants", json=body)
        me = (await client.get("/api/v1/session")).json()["person"]["id"]
        await until(lambda: pieces_of(tmp_path, me) >= 2)  # more than 256 tokens are two pieces
        first = await _first_question(client, made.json()["id"], "Where is box 14?")
    async with box(tmp_path) as (app, client):
        signed_in = await client.post("/api/v1/session", json={"name": "Ana", "password": PASSWORD})
        assert signed_in.is_success, signed_in.text
        await ready(app)
        later = await _first_question(client, made.json()["id"], "And box 21?")
    for usage in (first, later):
        assert usage["prompt_tokens"] > 256
        assert usage["cached_tokens"] >= usage["prompt_tokens"] - 2 * KEPT_PIECE_TOKENS
