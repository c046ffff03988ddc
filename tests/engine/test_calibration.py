"""The speed is measured when nobody waits, gives way to whoever comes, and serves estimates."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from allerac.engine.protocol import Reading, Sampling
from allerac.engine.supervisor import EngineSupervisor
from allerac.errors import EngineUnavailable
from tests.engine.asking import RESTART_SECONDS, end_of, events_of, random_model, request

SHORT = Sampling(0.0, max_tokens=4)


async def test_speed_is_measured_and_used_for_the_first_estimate(
    endless: EngineSupervisor,
) -> None:
    async with asyncio.timeout(RESTART_SECONDS):
        speed = await endless.calibrate()
    assert speed.prefill_tokens_per_second
    assert speed.decode_tokens_per_second
    events = await events_of(endless, request("a" * 1500, model="random", sampling=SHORT))
    first = events[0]
    assert isinstance(first, Reading)
    assert first.eta_seconds is not None
    assert first.eta_seconds == pytest.approx(1500 / speed.prefill_tokens_per_second, rel=0.2)
    assert end_of(events).usage.estimated_seconds is not None


async def test_nothing_is_estimated_before_anything_is_known(endless: EngineSupervisor) -> None:
    events = await events_of(endless, request("Hi", model="random", sampling=SHORT))
    first = events[0]
    assert isinstance(first, Reading)
    assert first.eta_seconds is None


async def test_what_was_measured_before_serves_the_first_estimates_of_every_process(
    supervisor: EngineSupervisor, tiny_path: Path
) -> None:
    """Told before the model is loaded, and to one that is killed: the next one knows it too."""
    supervisor.expect("random", prefill=10.0, decode=5.0)
    await supervisor.load(random_model(tiny_path))
    assert await _told_tokens_per_second(supervisor) == pytest.approx(10.0, rel=0.05)
    pid = supervisor.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert await _told_tokens_per_second(supervisor) == pytest.approx(10.0, rel=0.05)
    assert supervisor.status().pid != pid


async def test_what_was_measured_may_be_told_to_a_loaded_model(endless: EngineSupervisor) -> None:
    endless.expect("another", prefill=10.0, decode=5.0)
    endless.expect("random", prefill=20.0, decode=5.0)
    assert await _told_tokens_per_second(endless) == pytest.approx(20.0, rel=0.05)


async def _told_tokens_per_second(supervisor: EngineSupervisor) -> float:
    events = await events_of(supervisor, request("a" * 1500, model="random", sampling=SHORT))
    first = next(event for event in events if isinstance(event, Reading))
    assert first.eta_seconds
    return (first.total_tokens - first.done_tokens) / first.eta_seconds


async def test_answers_come_while_a_measurement_is_asked_for(endless: EngineSupervisor) -> None:
    measuring = asyncio.create_task(endless.calibrate())
    for _ in range(5):
        events = await events_of(endless, request("Hi", model="random", sampling=SHORT))
        assert end_of(events).usage.completion_tokens > 0
    async with asyncio.timeout(RESTART_SECONDS):
        assert (await measuring).decode_tokens_per_second


async def test_measuring_leaves_no_trace_in_the_cache(endless: EngineSupervisor) -> None:
    for _ in range(2):
        await endless.calibrate()
        events = await events_of(endless, request("a" * 200, model="random", sampling=SHORT))
        assert end_of(events).usage.completion_tokens == 4


async def test_small_context_is_measured_too(supervisor: EngineSupervisor, tiny_path: Path) -> None:
    await supervisor.load(random_model(tiny_path, context_length=64, sequences=1))
    async with asyncio.timeout(RESTART_SECONDS):
        assert (await supervisor.calibrate()).prefill_tokens_per_second


async def test_process_that_dies_meanwhile_is_said(endless: EngineSupervisor) -> None:
    pid = endless.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    measuring = asyncio.create_task(endless.calibrate())
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(RESTART_SECONDS):
        with pytest.raises(EngineUnavailable):
            await measuring
