"""A click on a fix looks at the box while the box looks at itself."""

import asyncio
from pathlib import Path

import pytest

from allerac.health import Lever
from tests.recorded_machine import RecordedMachine
from tests.simulated_box import SimulatedBox


@pytest.mark.parametrize("celsius", [91.0, 48.0])
async def test_two_looks_at_once_pull_a_lever_once(celsius: float, tmp_path: Path) -> None:
    moved: list[float] = []
    slow = asyncio.Event()
    slow.set()

    async def move() -> None:
        moved.append(box.seconds)
        await slow.wait()

    machine = RecordedMachine(tmp_path).usual()
    box = SimulatedBox(machine, levers={"fewer_threads": Lever(move, move)})
    machine.heat(91.0)
    await box.live(10 if celsius > 90 else 60)
    moved.clear()
    machine.heat(celsius)
    await box.health.sample()
    box.seconds += 90
    slow.clear()
    looks = [asyncio.create_task(box.health.sample()) for _ in range(2)]
    async with asyncio.timeout(30):
        while not moved:  # noqa: ASYNC110 - the lever is pulled after files were read
            await asyncio.sleep(0.01)
    asyncio.get_running_loop().call_later(0.2, slow.set)
    await asyncio.gather(*looks)
    assert len(moved) == 1
    assert len(box.health.status().reactions) == (1 if celsius > 90 else 0)
    await box.health.stop()
