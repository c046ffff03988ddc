"""A box with a watched folder: what is put there is found, and gone when it is taken away."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from allerac.accounts import Passwords
from allerac.app import create_app
from allerac.settings import Settings
from tests import documents
from tests.api.conftest import Household, claim

SECONDS = 110
FILES = "/api/v1/knowledge/files"
LETTER = "The gate.\nThe gate of the garden is painted green every spring by the neighbour."


async def _listed(client: httpx.AsyncClient, *states: str) -> list[dict[str, Any]]:
    """Return the library once each of its documents is in one of `states`."""
    while True:
        items: list[dict[str, Any]] = (await client.get(FILES)).json()["items"]
        if [item["state"] for item in items] == list(states):
            return items
        await asyncio.sleep(0.2)


@pytest.mark.slow
@pytest.mark.timeout(2 * SECONDS + 30)
async def test_document_in_the_watched_folder_is_the_household_s(tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    (folder / "House").mkdir(parents=True)
    settings = Settings(data_dir=tmp_path / "data", announce=False, watched_dir=folder)
    app = create_app(settings, port=80, passwords=Passwords(memory_kib=64, passes=1))
    async with app.router.lifespan_context(app):
        owner = Household(app).open("owner")
        await claim(owner, app.state.services.onboarding.claim_code())
        (folder / "House" / "gate.pdf").write_bytes(documents.pdf([LETTER]))
        async with asyncio.timeout(SECONDS):
            (file,) = await _listed(owner, "ready")
        told = (file["name"], file["folder"], file["visibility"])
        assert told == ("gate.pdf", "House", "household")
        body = {"question": "What colour is the gate?"}
        found = (await owner.post("/api/v1/knowledge/search", json=body)).json()["passages"]
        assert "painted green" in found[0]["text"]
        (folder / "House" / "gate.pdf").unlink()
        async with asyncio.timeout(SECONDS):
            await _listed(owner)
        await owner.aclose()
