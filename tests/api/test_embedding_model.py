"""The tier's embedding model over HTTP: fetched, then every document is read anew by itself."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from allerac.accounts import Passwords
from allerac.app import create_app
from allerac.settings import REPOSITORY, Settings
from tests import documents
from tests.api.conftest import Household, claim
from tests.api.test_knowledge import add, found, settled
from tests.unit.models.file_server import serving

EMBEDDING = "nomic-embed-text-v1.5-q8_0"
SECONDS = 60
TEXT = documents.markdown([("The boiler", "Miller Heating comes every March.")])


def _profiles(folder: Path, content: bytes) -> Path:
    """Copy the profiles; what the pin of the embedding model stands for is `content`."""
    shutil.copytree(REPOSITORY / "hardware_profiles", folder)
    pins = yaml.safe_load((folder / "models.yaml").read_text("utf-8"))
    for pin in pins:
        if pin["id"] == EMBEDDING:
            pin |= {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "models.yaml").write_text(yaml.safe_dump(pins), "utf-8")
    return folder


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Household]:
    """A box of the smallest tier whose embedding model is a copy of the one that ships along."""
    content = (REPOSITORY / "demo_model" / "allerac-demo-embedding-q8_0.gguf").read_bytes()
    async with serving(content) as server:
        settings = Settings(
            data_dir=tmp_path / "data",
            announce=False,
            profile="n100",
            profiles_dir=_profiles(tmp_path / "profiles", content),
            model_source=server.url,
        )
        app = create_app(settings, port=80, passwords=Passwords(memory_kib=64, passes=1))
        async with app.router.lifespan_context(app):
            home = Household(app)
            owner = home.open("owner")
            await claim(owner, app.state.services.onboarding.claim_code())
            yield home
            await owner.aclose()


async def _listed(owner: httpx.AsyncClient) -> Any:
    return (await owner.get("/api/v1/models")).json()["embedding"]


async def test_documents_are_read_anew_once_it_is_on_board(house: Household) -> None:
    owner = house.clients["owner"]
    assert (await _listed(owner))["state"] == "available"
    file = await add(house, "owner", "boiler.md", TEXT)
    before = await settled(house, "owner", file["id"])
    assert before["state"] == "ready"

    begun = await owner.post(f"/api/v1/models/{EMBEDDING}/download")
    assert begun.status_code == 202, begun.text
    after = before
    async with asyncio.timeout(SECONDS):
        while after["updated_at"] == before["updated_at"]:
            await asyncio.sleep(0.05)
            after = await settled(house, "owner", file["id"])
    assert (after["state"], after["passages"]) == ("ready", before["passages"])
    assert (await _listed(owner))["state"] == "installed"
    trace = (await found(house, "owner", "When does Miller Heating come?"))["trace"]
    assert trace["considered"][0]["vector_rank"] is not None

    refused = await owner.put("/api/v1/models/default", json={"model_id": EMBEDDING})
    assert refused.status_code == 409
    assert (await owner.delete(f"/api/v1/models/{EMBEDDING}")).status_code == 204
    assert (await _listed(owner))["state"] == "available"
