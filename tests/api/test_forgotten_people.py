"""Whoever leaves the household leaves nothing of their documents, or of what was read for them."""

import asyncio
from contextlib import closing
from pathlib import Path

import httpx
import pysqlite3.dbapi2 as sqlite3
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


FILES = "/api/v1/knowledge/files"
SECRET = b"The blue suitcase stands behind the boiler. Its code is 4711."
INDEXES = ("knowledge_text", "knowledge_vector_%_rowids", "knowledge_near_%_rowids")
"""Tables with a row for each passage that can be found; `%` is the width of the vectors."""


def _indexed(data_dir: Path) -> int:
    """Return how many rows the indexes have, of anybody."""
    with closing(sqlite3.connect(str(data_dir / "allerac.sqlite"))) as connection:
        names = [
            name
            for like in INDEXES
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE name LIKE ?", (like,)
            )
        ]
        assert len(names) >= 2, names
        counts = [connection.execute(f"SELECT count(*) FROM {name}") for name in names]  # noqa: S608 - our own names
        return sum(count.fetchone()[0] for count in counts)


def _blobs(data_dir: Path) -> list[Path]:
    return [path for path in (data_dir / "blobs").rglob("*") if path.is_file()]


async def _add(client: httpx.AsyncClient, name: str, text: bytes) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    added = await client.post(FILES, params={"name": name}, content=text, headers=headers)
    assert added.status_code == 201, added.text
    async with asyncio.timeout(120):
        while True:
            file = (await client.get(f"{FILES}/{added.json()['id']}")).json()
            if file["state"] == "ready":
                return
            await asyncio.sleep(0.1)


@pytest.mark.timeout(300)
async def test_documents_of_a_deleted_person_are_gone_from_indexes_and_disk(tmp_path: Path) -> None:
    async with box(tmp_path) as (app, owner):
        await claim(owner, app.state.services.onboarding.claim_code())
        await ready(app)
        await _add(owner, "boiler.txt", b"The boiler is serviced every year in March.")
        indexed, blobs = _indexed(tmp_path), _blobs(tmp_path)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", timeout=60
        ) as member:
            joined = await join(member, await invite(owner), "Ben")
            person_id = joined.json()["person"]["id"]
            await _add(member, "suitcase.txt", SECRET)
        assert (_indexed(tmp_path) > indexed, len(_blobs(tmp_path))) == (True, len(blobs) + 1)
        removed = await owner.delete(f"/api/v1/people/{person_id}")
        assert removed.status_code == 204, removed.text
        assert (_indexed(tmp_path), _blobs(tmp_path)) == (indexed, blobs)
