"""The levers of the reactions over a claimed box with a real engine; only time is simulated.

The box's own look at its sensors is so slow that it takes no part.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from allerac.app.runtime import Runtime
from tests.api.health_box import health_box
from tests.claimed_box import CONTEXT_TOKENS, write_endless_model
from tests.recorded_machine import GIB
from tests.simulated_box import SimulatedBox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MINUTE = 60.0
DEADLINE_SECONDS = 120.0
"""A busy machine takes long to load a model anew."""

TOTAL = 16 * GIB
PLENTY, SHORT, NONE = TOTAL // 2, int(TOTAL * 0.06), int(TOTAL * 0.02)
SHORT_CONTEXT = 2048
"""A quarter of the n100 profile's."""


@dataclass(frozen=True, slots=True)
class ReactingBox:
    """`time` passes as fast as it is told to, and pulls the levers of `runtime`."""

    runtime: Runtime
    time: SimulatedBox
    program: httpx.AsyncClient
    model: Path

    async def live(self, seconds: float, *, available: int = PLENTY, celsius: float = 48.0) -> None:
        self.time.machine.memory(total=TOTAL, available=available)
        self.time.machine.heat(celsius)
        await self.time.live(seconds)

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not reached():  # noqa: ASYNC110 - the engine has no event to wait on
                await asyncio.sleep(0.02)

    async def ask(self, tokens: int = 4) -> httpx.Response:
        body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": tokens}
        return await self.program.post("/v1/chat/completions", json=body)

    def context(self) -> int | None:
        return self.runtime.engine.status().context_length

    def state(self) -> str:
        return self.runtime.engine.status().state


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[ReactingBox]:
    model = write_endless_model(tmp_path / "model")
    chosen = {"profile": "n100", "demo_model_dir": model, "sample_seconds": 3600}
    async with health_box(tmp_path, None, **chosen) as claimed:
        runtime: Runtime = claimed.app.state.runtime
        made = await claimed.owner.post("/api/v1/api-keys", json={"name": "program"})
        transport = httpx.ASGITransport(app=claimed.app)
        headers = {"Authorization": f"Bearer {made.json()['key']}"}
        time = SimulatedBox(
            claimed.machine,
            ask=runtime.health.onlookers.look,
            levers=runtime.health.levers.all(),
        )
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers, timeout=60
        ) as program:
            reacting = ReactingBox(runtime, time, program, model / "endless.gguf")
            await reacting.until(lambda: reacting.state() == "ready")
            yield reacting
        await time.health.stop()


async def refused_for(box: ReactingBox, reason: str) -> None:
    """Ask until the lever, which works beside the looks at the sensors, has had its effect."""
    answer = await box.ask()
    end = asyncio.get_running_loop().time() + DEADLINE_SECONDS
    while not (answer.status_code == 503 and reason in answer.text):
        assert asyncio.get_running_loop().time() < end, answer.text
        await asyncio.sleep(0.02)
        answer = await box.ask()


async def test_short_memory_shortens_conversations_then_puts_the_model_aside(
    box: ReactingBox,
) -> None:
    assert box.context() == CONTEXT_TOKENS
    await box.live(MINUTE, available=SHORT)
    await box.until(lambda: (box.context(), box.state()) == (SHORT_CONTEXT, "ready"))
    assert (await box.ask()).is_success
    await box.live(MINUTE, available=NONE)
    await box.until(lambda: box.state() == "stopped")
    await refused_for(box, "There is not enough memory")
    await box.live(6 * MINUTE)
    await box.until(lambda: (box.context(), box.state()) == (SHORT_CONTEXT, "ready"))
    await box.live(6 * MINUTE)
    await box.until(lambda: (box.context(), box.state()) == (CONTEXT_TOKENS, "ready"))
    assert (await box.ask()).is_success


async def test_heat_and_short_memory_end_each_by_itself(box: ReactingBox) -> None:
    await box.live(MINUTE, available=NONE)
    await refused_for(box, "There is not enough memory")
    await box.live(MINUTE, available=NONE, celsius=99)
    await refused_for(box, "The box is too hot and rests.")
    await box.live(3 * MINUTE, available=NONE)
    await refused_for(box, "There is not enough memory")
    await box.live(MINUTE, available=NONE, celsius=99)
    await box.live(6 * MINUTE, celsius=99)
    await refused_for(box, "The box is too hot and rests.")
    await box.live(6 * MINUTE)
    await box.until(lambda: (box.context(), box.state()) == (CONTEXT_TOKENS, "ready"))
    assert (await box.ask()).is_success


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor has nothing to give up")
async def test_in_the_heat_fewer_threads_compute(box: ReactingBox) -> None:
    assert await busy_threads(box) > 1
    await box.live(MINUTE, celsius=91)
    usual = min(4, os.cpu_count() or 1)
    assert box.runtime.engine.thread_limit == max(1, usual // 2)
    assert await busy_threads(box) <= max(1, usual // 2)
    await box.live(3 * MINUTE)
    assert await busy_threads(box) > 1


async def busy_threads(box: ReactingBox) -> int:
    """Return how many threads of the engine compute a substantial part of an answer."""
    engine = psutil.Process(box.runtime.engine.status().pid)

    def spent() -> dict[int, float]:
        return {one.id: one.user_time + one.system_time for one in engine.threads()}

    before = spent()
    assert (await box.ask(tokens=300)).is_success
    worked = [seconds - before.get(thread, 0.0) for thread, seconds in spent().items()]
    return sum(seconds > max(worked) / 4 for seconds in worked)


async def test_an_engine_that_cannot_start_is_started_once_it_can(box: ReactingBox) -> None:
    away = box.model.with_suffix(".away")
    box.model.rename(away)
    pid = box.runtime.engine.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await box.until(lambda: box.state() == "failed")
    away.rename(box.model)
    await box.live(MINUTE)
    await box.until(lambda: box.state() == "ready")
    assert (await box.ask()).is_success
