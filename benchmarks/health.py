"""What it costs to watch over the box: processor time of its samples."""

import asyncio
import tempfile
import time
from pathlib import Path

from allerac.hardware.sensors import Sensors, Sysfs
from allerac.health import BoxFacts, EngineFacts, HealthService, Limits
from allerac.storage.device_history import DeviceHistory

SAMPLES = 120
SAMPLE_SECONDS = 10.0
PROMISED_PERCENT = 0.5


async def _sample(folder: Path) -> float:
    """Take samples of this machine one after the other; return processor seconds of one."""
    facts = BoxFacts(engine=EngineFacts(state="ready", speed=10.0, record=11.0))

    async def look() -> BoxFacts:
        return facts

    service = HealthService(
        sensors=Sensors(Sysfs(), folder),
        store=DeviceHistory(folder / "health.sqlite"),
        facts=look,
        limits=Limits(),
        levers={},
        acts={},
    )
    await service.sample()
    began = time.process_time()
    for _ in range(SAMPLES):
        await service.sample()
    spent = time.process_time() - began
    await service.stop()
    return spent / SAMPLES


def measure_health() -> list[tuple[str, str, str]]:
    """Return the share of one core that sampling takes, writing included."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = asyncio.run(_sample(Path(folder)))
    percent = 100 * seconds / SAMPLE_SECONDS
    return [
        ("one sample with its checks and its share of writing", f"{seconds * 1e3:.1f} ms", ""),
        ("of one core, every 10 s", f"{percent:.3f} %", f"{PROMISED_PERCENT} %"),
    ]
