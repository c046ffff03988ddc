"""The diary is one connection: whoever uses it is waited for, also when they were cancelled."""

import asyncio
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

from allerac.hardware.sensors import Sensors, Sysfs
from allerac.health import HealthService, Limits
from allerac.storage.device_history import DeviceHistory, Level
from tests.recorded_machine import RecordedMachine
from tests.simulated_box import WELL

DEADLINE_SECONDS = 30.0


class SlowDiary(DeviceHistory):
    """Reads only once it may, and notes in which order things were done."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.began, self.may_read = threading.Event(), threading.Event()
        self.order: list[str] = []

    def series(self, level: Level, since: datetime, step_seconds: int) -> list[dict[str, Any]]:
        """See `DeviceHistory.series`."""
        self.began.set()
        assert self.may_read.wait(DEADLINE_SECONDS)
        rows = super().series(level, since, step_seconds)
        self.order.append("read")
        return rows

    def close(self) -> None:
        """See `DeviceHistory.close`."""
        self.order.append("closed")
        super().close()


async def test_a_reader_who_left_is_waited_for_before_the_diary_is_closed(tmp_path: Path) -> None:
    async def facts() -> Any:
        return WELL

    RecordedMachine(tmp_path).usual()
    diary = SlowDiary(tmp_path / "health.sqlite")
    health = HealthService(
        sensors=Sensors(Sysfs(tmp_path), tmp_path),
        store=diary,
        facts=facts,
        limits=Limits(slow_celsius=88, pause_celsius=97, memory_channels=1, power_watts=15),
        levers={},
        acts={},
    )
    reader = asyncio.create_task(health.series("hour"))
    assert await asyncio.to_thread(diary.began.wait, DEADLINE_SECONDS)
    reader.cancel()
    stopping = asyncio.create_task(health.stop())
    done, _ = await asyncio.wait([stopping], timeout=0.2)
    diary.may_read.set()
    async with asyncio.timeout(DEADLINE_SECONDS):
        await stopping
    assert (diary.order, done) == (["read", "closed"], set())
