"""Simulated hours of watching, a day shortened: nothing grows that should not."""

import gc
import os
import random
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from allerac.health import EngineFacts
from tests.recorded_machine import GIB
from tests.simulated_box import SimulatedBox, simulated_box

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

HOUR = 3600.0
GROWTH = 1.02


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - entries vanish while they are listed


def _resident_bytes() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


async def test_hours_of_watching_leak_neither_memory_nor_descriptors(tmp_path: Path) -> None:
    rng = random.Random(24)  # noqa: S311 - seeded, no secret

    def use(box: SimulatedBox, at: float) -> None:
        busy = rng.random() < 0.4
        box.machine.heat(rng.gauss(82, 5) if busy else rng.gauss(50, 3))
        box.machine.memory(total=16 * GIB, available=int(rng.uniform(2.5, 9.0) * GIB))
        box.change(engine=EngineFacts(state="ready", speed=rng.uniform(8, 12), record=12.5))
        if at % 1800 < 300:
            box.machine.mount(errors=1)
        else:
            box.machine.mount()

    async with simulated_box(tmp_path) as box:
        measured: list[tuple[int, int]] = []
        for _ in range(3):
            await box.live(1.25 * HOUR, lambda at: use(box, at))
            measured.append((_resident_bytes(), _descriptors()))
        memory = [after[0] / before[0] for before, after in pairwise(measured)]
        assert min(memory) <= GROWTH, "a leak grows each time, what is made once does not"
        assert measured[-1][1] <= measured[0][1]
        assert len(await box.health.past_issues(50)) >= 2
