"""The engine's memory is bounded by the hardware profile; beyond it the engine dies alone."""

import asyncio
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
    claimed_box,
    text_of,
    write_endless_model,
)

pytestmark = pytest.mark.slow

PROFILES = Path(__file__).parents[2] / "hardware_profiles"
MEGABYTE = 1 << 20
ROOM_BYTES = 64 * MEGABYTE
THREADS = 2
LONG = "word " * 13_000  # more than the model reads, but not by so much that nobody counts


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
        resource.prlimit(engine.pid, resource.RLIMIT_AS, (0, limit))
        _, waiting = await owner.say(conversation_id, LONG, client_id="long")
        lost, asked_again = [(await owner.events(one))[-1] for one in (in_flight, waiting)]
        assert (lost.kind, lost.data["code"]) == ("error", "engine_stopped")
        assert lost.data["message"]
        assert lost.data["hint"]
        # Nobody had read a word of it, so the next engine was asked, which could say why not.
        assert asked_again.data["code"] == "context_length_exceeded"
        _, answer_id = await owner.say(conversation_id, "And now?", parent_id=in_flight)
        async with asyncio.timeout(RECOVERY_SECONDS):
            assert text_of(await owner.first_events(answer_id))
    assert box.running.process.poll() is None
    assert not engine.is_running()
    assert _address_space_limit(box.engine().pid) == limit


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
