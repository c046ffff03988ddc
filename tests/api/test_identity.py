"""A box from the factory is who its label says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI

from allerac.accounts import Passwords
from allerac.app import create_app
from allerac.settings import Settings

from .conftest import claim

CODE = "K7QM4XWP"
DEVICE = "0198c0de-0000-7000-8000-000000000042"


@pytest.fixture
def partition(tmp_path: Path) -> Path:
    """The identity partition of a unit that the factory flashed."""
    folder = tmp_path / "identity"
    folder.mkdir()
    hasher = PasswordHasher(memory_cost=64, time_cost=1, parallelism=1)
    (folder / "claim-code.hash").write_text(hasher.hash(CODE))
    (folder / "serial").write_text("ALR-N100-000042")
    (folder / "device-id").write_text(DEVICE)
    (folder / "hostname-suffix").write_text("k7qm")
    return folder


def wear_out(partition: Path) -> None:
    """Leave what an old flash chip leaves."""
    for path in partition.iterdir():
        path.write_bytes(b"\xff" * 100)


@asynccontextmanager
async def box(data_dir: Path, partition: Path) -> AsyncIterator[tuple[FastAPI, httpx.AsyncClient]]:
    settings = Settings(data_dir=data_dir, identity_dir=partition, announce=False)
    app = create_app(settings, port=80, passwords=Passwords(memory_kib=64, passes=1))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser,
    ):
        yield app, browser


async def test_code_on_the_label_claims_the_box_and_is_shown_nowhere(
    tmp_path: Path, partition: Path
) -> None:
    async with box(tmp_path / "data", partition) as (app, browser):
        assert app.state.services.onboarding.claim_code() is None
        wrong = await browser.post("/api/v1/onboarding/claim", json={"code": "AAAA-AAAA"})
        assert wrong.status_code == 401
        await claim(browser, "k7qm-4xwp")
        again = await browser.post("/api/v1/onboarding/claim", json={"code": CODE})
        assert again.status_code == 410
    written = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert written
    assert [path for path in written if CODE.encode() in path.read_bytes()] == []


async def test_box_says_who_the_factory_made_it(tmp_path: Path, partition: Path) -> None:
    async with box(tmp_path / "data", partition) as (app, browser):
        await claim(browser, CODE)
        facts = (await browser.get("/api/v1/box")).json()
        assert (facts["serial"], facts["id"]) == ("ALR-N100-000042", DEVICE)
        assert "allerac-k7qm.local" in app.state.runtime.presence.host_names()


async def test_box_that_was_started_before_its_identity_was_written_takes_it(
    tmp_path: Path, partition: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    async with box(tmp_path / "data", empty) as (app, _):
        assert app.state.services.onboarding.claim_code() is not None
    async with box(tmp_path / "data", partition) as (app, browser):
        assert app.state.services.onboarding.claim_code() is None
        await claim(browser, CODE)
        assert (await browser.get("/api/v1/box")).json()["id"] == DEVICE


async def test_box_with_a_broken_partition_starts_with_a_code_of_its_own(
    tmp_path: Path, partition: Path
) -> None:
    wear_out(partition)
    async with box(tmp_path / "data", partition) as (app, browser):
        code = app.state.services.onboarding.claim_code()
        assert code is not None
        await claim(browser, code)
        assert (await browser.get("/api/v1/box")).json()["serial"] is None
