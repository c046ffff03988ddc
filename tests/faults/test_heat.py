"""A simulated heat-up on a whole box: it slows down, rests, cools, and one mail tells of each."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from allerac.accounts import Passwords
from allerac.app import create_app
from allerac.settings import Settings
from tests.api.conftest import Household, claim
from tests.recorded_machine import MachineTime, RecordedMachine
from tests.unit.health.alert_desk import HOUR, Inbox, mail_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DEADLINE_SECONDS = 200.0
FASTER = 40.0
FILES = "/api/v1/knowledge/files"
Health = dict[str, Any]


async def until(owner: httpx.AsyncClient, reached: Callable[[Health], bool]) -> Health:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            health: Health = (await owner.get("/api/v1/health")).json()
            if reached(health):
                return health
            await asyncio.sleep(0.2)


async def ready(owner: httpx.AsyncClient) -> None:
    """Wait for the engine before time flies: what takes a second must not seem to take a minute."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (await owner.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - the box has no event to wait on
            await asyncio.sleep(0.1)


def reactions(health: Health) -> set[str]:
    return {reaction["code"] for reaction in health["reactions"]}


def alerts(port: int) -> dict[str, Any]:
    mail = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "box@example.com",
        "recipients": [{"address": "ana@example.com"}],
    }
    rest = {"least": "warning", "quiet": None, "webhook": None, "ntfy": None}
    return {**rest, "mail": mail}


async def ask(program: httpx.AsyncClient) -> httpx.Response:
    body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4}
    return await program.post("/v1/chat/completions", json=body)


async def add(owner: httpx.AsyncClient) -> str:
    octets = {"Content-Type": "application/octet-stream"}
    text = b"The bins are emptied on Tuesday."
    added = await owner.post(FILES, params={"name": "bins.txt"}, content=text, headers=octets)
    assert added.status_code == 201, added.text
    document: str = added.json()["id"]
    return document


async def test_heat_slows_the_box_rests_it_and_is_told_once(tmp_path: Path) -> None:
    machine = RecordedMachine(tmp_path / "machine").usual()
    time = MachineTime(machine)
    settings = Settings(
        data_dir=tmp_path / "data",
        announce=False,
        profile="n100",
        sensors_root=machine.root,
        sample_seconds=10 / FASTER,
    )
    app = create_app(settings, port=80, passwords=Passwords(memory_kib=64, passes=1))
    inbox = Inbox()
    async with mail_server(inbox) as port, app.router.lifespan_context(app):
        home = Household(app)
        owner = home.open("owner")
        await claim(owner, app.state.services.onboarding.claim_code())
        key = (await owner.post("/api/v1/api-keys", json={"name": "program"})).json()["key"]
        program = home.open("program", Authorization=f"Bearer {key}")
        kept = await owner.put("/api/v1/health/alerts", json=alerts(port))
        assert kept.is_success, kept.text
        await ready(owner)
        with time.passing(FASTER):
            await heat_up(machine, owner, program)
        time.skip(HOUR)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(inbox.mails) < 3:  # noqa: ASYNC110 - the server has no event to wait on
                await asyncio.sleep(0.1)
        for client in home.clients.values():
            await client.aclose()
    assert [str(mail["Subject"]).partition(": ")[2] for mail in inbox.mails] == [
        "The box is hot.",
        "It has become worse: The box is hot.",
        "It is over: The box is hot.",
    ]


async def heat_up(
    machine: RecordedMachine, owner: httpx.AsyncClient, program: httpx.AsyncClient
) -> None:
    """Warm the box up until it rests, let it cool down, and ask it and give it work meanwhile."""
    machine.heat(91)
    await until(owner, lambda health: "fewer_threads" in reactions(health))
    await until(owner, lambda health: health["severity"] == "warning")
    answered = await ask(program)
    assert answered.is_success, answered.text
    document = await add(owner)

    machine.heat(99)
    await until(owner, lambda health: "pause_answers" in reactions(health))
    refused = await ask(program)
    assert refused.status_code == 503
    assert refused.json()["error"]["message"].startswith("The box is too hot and rests.")
    waiting = (await owner.get(f"{FILES}/{document}")).json()
    assert waiting["state"] == "processing", "documents wait until it is cooler"

    machine.heat(60)
    await until(owner, lambda health: not health["issues"] and not health["reactions"])
    answered = await ask(program)
    assert answered.is_success, answered.text
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (await owner.get(f"{FILES}/{document}")).json()["state"] != "ready":  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)
