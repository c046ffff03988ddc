"""What cannot be loaded is refused with its reason, and what was loaded before goes on."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from allerac.engine.protocol import EngineEvent, Sampling
from allerac.engine.supervisor import EngineSupervisor
from allerac.errors import EngineUnavailable, ModelDamaged
from tests.engine.asking import (
    DEMO,
    PASSWORD,
    RESTART_SECONDS,
    demo_model,
    end_of,
    events_of,
    first_words,
    random_model,
    request,
    text_of,
)
from tests.engine.killing import kill, until
from tests.engine.tiny_model import write_tiny_model


async def test_load_of_another_model_ends_restarts_that_do_not_come_through(
    supervisor: EngineSupervisor, tiny_path: Path, tmp_path: Path
) -> None:
    path = write_tiny_model(tmp_path / "model.gguf")
    await supervisor.load(random_model(path))
    path.unlink()
    kill(supervisor)
    await until(lambda: supervisor.status().restarts == 1)
    await supervisor.load(replace(random_model(tiny_path), model_id="other"))
    short = Sampling(0.0, max_tokens=2)
    assert await events_of(supervisor, request("Hi", model="other", sampling=short))


def _truncated(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _not_a_number(whole: bytes) -> bytes:
    return whole[:-200_000] + b"\xff" * 200_000


@pytest.mark.parametrize(
    "broken",
    [
        _truncated,
        _not_a_number,
        lambda _: b"<!DOCTYPE html><html>not here</html>",
        lambda _: os.urandom(100_000),
        lambda _: b"",
    ],
    ids=["truncated", "not-a-number", "web-page", "random", "empty"],
)
async def test_broken_file_is_refused_and_the_model_before_goes_on(
    engine: EngineSupervisor, tmp_path: Path, broken: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(broken(DEMO.read_bytes()))
    with pytest.raises(ModelDamaged) as caught:
        await engine.load(replace(demo_model(), model_id="broken", path=path))
    assert caught.value.message
    assert engine.status().state == "ready"
    assert "blue-otter-42" in text_of(await events_of(engine, request(PASSWORD)))


async def test_file_that_crashes_the_engine_is_refused(
    engine: EngineSupervisor, tmp_path: Path
) -> None:
    """A header that passes every bound but describes tensors that are not there."""
    path = write_tiny_model(tmp_path / "model.gguf")
    path.write_bytes(path.read_bytes().replace(b"blk.1.attn_q.weight", b"blk.1.attn_z.weight"))
    with pytest.raises(ModelDamaged):
        await engine.load(random_model(path))
    assert engine.status().model_id == "demo"


async def test_broken_first_model_leaves_a_state_that_says_why(
    supervisor: EngineSupervisor, tmp_path: Path
) -> None:
    path = write_tiny_model(tmp_path / "model.gguf")
    path.write_bytes(path.read_bytes().replace(b"output_norm", b"output_morn"))
    with pytest.raises(ModelDamaged):
        await supervisor.load(random_model(path))
    status = supervisor.status()
    assert status.state == "failed"
    assert status.last_error
    assert status.pid is None
    with pytest.raises(EngineUnavailable):
        await events_of(supervisor, request("Hi", model="random"))


async def test_file_that_vanishes_makes_restarts_fail_until_it_is_back(
    supervisor: EngineSupervisor, tmp_path: Path
) -> None:
    path = write_tiny_model(tmp_path / "model.gguf")
    away = tmp_path / "away.gguf"
    await supervisor.load(random_model(path))
    path.rename(away)
    kill(supervisor)
    await until(lambda: supervisor.status().state == "failed", 3 * RESTART_SECONDS)
    with pytest.raises(EngineUnavailable):
        await events_of(supervisor, request("Hi", model="random"))
    away.rename(path)
    await supervisor.load(random_model(path))
    short = Sampling(0.0, max_tokens=2)
    assert await events_of(supervisor, request("Hi", model="random", sampling=short))


async def test_memory_limit_refuses_what_does_not_fit(supervisor: EngineSupervisor) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        await supervisor.load(demo_model(memory_limit_bytes=600 << 20, context_length=1 << 20))
    assert "memory" in caught.value.message
    await supervisor.load(demo_model())
    assert supervisor.status().state == "ready"


async def test_load_waits_for_answers_and_new_ones_wait_for_the_model(
    engine: EngineSupervisor, tiny_path: Path
) -> None:
    stream = engine.generate(request("Count from 1 to 12."))
    said = await first_words(stream)
    loading = asyncio.create_task(engine.load(random_model(tiny_path)))
    await asyncio.sleep(0)
    short = request("Hi", model="random", sampling=Sampling(0.0, max_tokens=2))
    waiting = asyncio.create_task(events_of(engine, short))
    rest: list[EngineEvent] = [event async for event in stream]
    assert "12" in said + text_of(rest)
    await loading
    assert end_of(await waiting).usage.completion_tokens <= 2
    with pytest.raises(EngineUnavailable):
        await events_of(engine, request("Hi"))


async def test_unload_frees_the_process(engine: EngineSupervisor) -> None:
    pid = engine.status().pid
    assert pid is not None
    await engine.unload()
    assert not psutil.pid_exists(pid)
    assert engine.status().state == "stopped"
    with pytest.raises(EngineUnavailable):
        await events_of(engine, request("Hi"))
    await engine.load(demo_model())
    assert text_of(await events_of(engine, request(PASSWORD)))
