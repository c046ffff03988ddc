"""The engine's memory is bounded by the hardware profile; beyond it the engine dies alone."""

import asyncio
import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from allerac.engine.limits import address_space_bytes
from tests.claimed_box import (
    RECOVERY_SECONDS,
    ClaimedBox,
    Owner,
    claimed_box,
    text_of,
    write_endless_model,
)
from tests.faults.memory_group import memory_group

pytestmark = pytest.mark.slow

PROFILES = Path(__file__).parents[2] / "hardware_profiles"
MEGABYTE = 1 << 20
ROOM_BYTES = 64 * MEGABYTE
STARVED_BYTES = MEGABYTE
FEW = 4000
"""Of the answers to choose from: enough for more than a starved engine has, and soon done."""

THREADS = 2
CHOICES = [f"{number:x<40}" for number in range(20_000)]
"""Answers to choose from: their grammar takes the engine tens of megabytes.

They differ in their first characters, so few of them remain to be looked at after that.
"""


def _write_profile(folder: Path, room_bytes: int) -> None:
    """Write the profile of a machine like this one that leaves `room_bytes` to models."""
    folder.mkdir(exist_ok=True)
    (folder / "models.yaml").write_bytes((PROFILES / "models.yaml").read_bytes())
    profile = yaml.safe_load((PROFILES / "vm.yaml").read_text())
    profile["memory"] = {
        "weights_bytes": room_bytes // 2,
        "kv_bytes": room_bytes // 2,
        "system_bytes": psutil.virtual_memory().total - room_bytes,
    }
    profile["engine"] |= {"decode_threads": 1, "prefill_threads": THREADS}
    (folder / "vm.yaml").write_text(yaml.safe_dump(profile))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("box")


@pytest.fixture(scope="module")
def box(folder: Path) -> Iterator[ClaimedBox]:
    _write_profile(folder / "profiles", ROOM_BYTES)
    settings = {
        "profile": "vm",
        "profiles_dir": str(folder / "profiles"),
        "demo_model_dir": str(write_endless_model(folder / "model")),
    }
    with claimed_box(folder / "data", **settings) as claimed:
        yield claimed


def _address_space_limit(pid: int) -> int:
    soft, hard = resource.prlimit(pid, resource.RLIMIT_AS)
    assert soft == hard
    return soft


async def _choose(owner: Owner, choices: list[str] = CHOICES) -> str:
    """Have a program ask for one of `choices`; returns what it was told."""
    made = await owner.client.post("/api/v1/api-keys", json={"name": "program"})
    order = {
        "messages": [{"role": "user", "content": "Which?"}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "choice", "schema": {"type": "string", "enum": choices}},
        },
    }
    key = {"Authorization": f"Bearer {made.json()['key']}"}
    answer = await owner.client.post("/v1/chat/completions", json=order, headers=key)
    assert answer.is_success, answer.text
    chosen: str = json.loads(answer.json()["choices"][0]["message"]["content"])
    return chosen


async def test_the_profile_bounds_the_engines_memory_and_not_the_runtimes(box: ClaimedBox) -> None:
    async with box.owner() as owner:
        await owner.until_ready()
    bound = address_space_bytes(ROOM_BYTES, threads=min(THREADS, os.cpu_count() or 1))
    assert _address_space_limit(box.engine().pid) == bound
    assert _address_space_limit(box.running.process.pid) == resource.RLIM_INFINITY


async def test_an_engine_beyond_its_limit_dies_alone_says_so_and_comes_back(
    box: ClaimedBox,
) -> None:
    async with box.owner() as owner:
        await owner.until_ready()
        engine = box.engine()
        limit = _address_space_limit(engine.pid)
        conversation_id = await owner.conversation()
        _, in_flight = await owner.say(conversation_id, "Tell me")
        await owner.first_events(in_flight)
        for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):  # arenas were reserved before
            _, hard = resource.prlimit(engine.pid, kind)
            resource.prlimit(engine.pid, kind, (0, hard))
        chosen = await _choose(owner)
        lost = (await owner.events(in_flight))[-1]
        assert (lost.kind, lost.data["code"]) == ("error", "engine_stopped")
        assert lost.data["message"]
        assert lost.data["hint"]
        # Nobody had read a word of it, so the next engine was asked, which has the memory.
        assert chosen in CHOICES
        _, answer_id = await owner.say(conversation_id, "And now?", parent_id=in_flight)
        async with asyncio.timeout(RECOVERY_SECONDS):
            assert text_of(await owner.first_events(answer_id))
    assert box.running.process.poll() is None
    assert not engine.is_running()
    assert _address_space_limit(box.engine().pid) == limit


async def test_an_engine_whose_control_group_has_no_memory_left_is_replaced(
    box: ClaimedBox,
) -> None:
    box.stop()  # A grown-up engine keeps what it freed, and needs nothing new for as much again.
    box.start()
    async with box.owner() as owner:
        await owner.until_ready()
        with memory_group() as group:
            engine = box.engine()
            group.take(engine.pid)
            group.bound(STARVED_BYTES)
            chosen = await _choose(owner, CHOICES[:FEW])
            assert group.killed == 1
            assert not engine.is_running() or engine.status() == psutil.STATUS_ZOMBIE
        assert chosen in CHOICES[:FEW]  # by the next engine, which has the memory
        _, answer_id = await owner.say(await owner.conversation(), "And now?")
        async with asyncio.timeout(RECOVERY_SECONDS):
            assert text_of(await owner.first_events(answer_id))
    assert box.running.process.poll() is None


async def test_a_model_that_does_not_fit_is_refused_and_fits_again_with_more_room(
    box: ClaimedBox, folder: Path
) -> None:
    box.stop()
    _write_profile(folder / "profiles", MEGABYTE)
    box.start()
    async with box.owner() as owner:
        _, answer_id = await owner.say(await owner.conversation(), "Hello")
        error = (await owner.events(answer_id))[-1]
        assert (error.kind, error.data["code"]) == ("error", "engine_unavailable")
        assert "memory" in error.data["message"]
        assert error.data["hint"]
    box.stop()
    _write_profile(folder / "profiles", ROOM_BYTES)
    box.start()
    async with box.owner() as owner:
        _, answer_id = await owner.say(await owner.conversation(), "Hello")
        assert text_of(await owner.first_events(answer_id))
