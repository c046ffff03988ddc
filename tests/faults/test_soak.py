"""A day of a household's use, shortened: what was used is given back."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

import httpx
import psutil
import pytest

from tests import documents
from tests.api.conftest import PASSWORD
from tests.claimed_box import ClaimedBox, Owner, claimed_box

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SECONDS: Final = 30.0
ROUNDS: Final = range(25, 121)
"""At least and at most; two chats and a document each, as many as a household has in a day."""

VISIT_EVERY: Final = 3
"""No address may sign in more than fifty times in five minutes."""

FILES: Final = "/api/v1/knowledge/files"
READY_SECONDS: Final = 60.0
PARTS: Final = 5
"""The first two parts of the run warm up; then the first of the rest is compared with the last."""

GROWTH: Final = 0.02
LOADED: Final = 5_000_000
"""Bytes; the most that one library takes which is loaded when it is first wanted."""

BROWSERS: Final = httpx.Limits(max_keepalive_connections=0)


@dataclass
class Use:
    """What a process held after each round."""

    process: psutil.Process
    memory: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    def note(self) -> None:
        """Look at the process now."""
        self.memory.append(self.process.memory_info().rss)
        self.descriptors.append(self.process.num_fds())

    def early(self, values: list[int]) -> list[int]:
        """Return those of the first part after the warm-up."""
        return values[2 * len(values) // PARTS : 3 * len(values) // PARTS]

    def late(self, values: list[int]) -> list[int]:
        """Return those of the last part."""
        return values[-(len(values) // PARTS) :]

    def crept(self) -> float:
        """Return by how much memory grew, as a share, less its highest step up to `LOADED`.

        A leak creeps; what is loaded once, when it is first wanted, is one step.
        """
        early = median(self.early(self.memory))
        warm = self.memory[2 * len(self.memory) // PARTS :]
        step = max(after - before for before, after in pairwise(warm))
        step = min(max(step, 0), LOADED)
        return (median(self.late(self.memory)) - step) / early - 1


@pytest.fixture
def box(tmp_path: Path) -> Iterator[ClaimedBox]:
    with claimed_box(tmp_path) as claimed:
        yield claimed


async def _chat(owner: Owner) -> None:
    """Ask something, have it answered, and delete the conversation."""
    conversation_id = await owner.conversation()
    _, answer_id = await owner.say(conversation_id, "What is the box called?")
    assert (await owner.events(answer_id))[-1].kind == "done"
    gone = await owner.client.delete(f"/api/v1/conversations/{conversation_id}")
    assert gone.is_success, gone.text


async def _visit(url: str) -> None:
    """Sign in on another browser, look around, and sign out."""
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=BROWSERS) as client:
        signed_in = await client.post("/api/v1/session", json={"name": "Ana", "password": PASSWORD})
        assert signed_in.is_success, signed_in.text
        for page in ("conversations", "models", "box", "health", "health/history?period=hour"):
            seen = await client.get(f"/api/v1/{page}")
            assert seen.is_success, (page, seen.text)
        assert (await client.delete("/api/v1/session")).is_success


async def _read(owner: Owner, number: int) -> None:
    """Add a document, wait until it can be found, and delete it."""
    told = f"The {number}th lamp in the hall is switched on at dusk and off at dawn. " * 20
    content = documents.markdown([(f"Lamp {number}", told)])
    headers = {"Content-Type": "application/octet-stream"}
    query = {"name": f"lamp-{number}.md"}
    made = await owner.client.post(FILES, params=query, content=content, headers=headers)
    assert made.is_success, made.text
    path = f"{FILES}/{made.json()['id']}"
    async with asyncio.timeout(READY_SECONDS):
        while (await owner.client.get(path)).json()["state"] != "ready":  # noqa: ASYNC110 - the box has no event to wait on
            await asyncio.sleep(0.05)
    assert (await owner.client.delete(path)).is_success


async def test_a_day_of_chats_visits_and_documents_leaks_neither_memory_nor_descriptors(
    box: ClaimedBox,
) -> None:
    async with box.owner() as owner:
        await owner.until_ready()
        uses = [Use(psutil.Process(box.running.process.pid)), Use(box.engine())]
        end = time.monotonic() + SECONDS
        for number in range(ROUNDS.stop):
            if number >= ROUNDS.start and time.monotonic() > end:
                break
            await asyncio.gather(_chat(owner), _chat(owner), _read(owner, number))
            if number % VISIT_EVERY == 0:
                await _visit(box.running.url)
            for use in uses:
                use.note()
    for use in uses:
        assert use.crept() <= GROWTH, use.memory
        assert min(use.late(use.descriptors)) <= min(use.early(use.descriptors))
