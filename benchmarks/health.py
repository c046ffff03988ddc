"""What it costs to watch over the box: processor time of its samples and of who is asked."""

import asyncio
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from allerac.app import Runtime
from allerac.app.health_onlookers import SAMPLES_PER_SLOW_LOOK
from allerac.appliance.certificate import CertificateFolder
from allerac.settings import Settings

MINUTES = 20
SAMPLE_SECONDS = 10.0
PROMISED_PERCENT = 0.5
SYSTEMD = Path("/run/systemd/system")
"""There while systemd is the init system, sd_booted(3)."""


def _spent() -> float:
    """Return processor seconds of this process, its threads, and the programs it has run."""
    others = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + others.ru_utime + others.ru_stime


async def _samples(folder: Path) -> list[float]:
    """Take samples of this machine with all rooms behind them; return processor seconds of each."""
    CertificateFolder(folder / "tls").ensure([], ["127.0.0.1"], datetime.now(UTC))
    runtime = Runtime(Settings(data_dir=folder, announce=False), port=80)
    await runtime.database.open()
    service, found = runtime.health.service, []
    try:
        await runtime.health.onlookers.recall()
        for _ in range(MINUTES * SAMPLES_PER_SLOW_LOOK):
            began = _spent()
            await service.sample()
            found.append(_spent() - began)
    finally:
        await service.stop()
        await runtime.database.close()
    return found


def measure_health() -> list[tuple[str, str, str]]:
    """Return the share of one core that sampling takes: reading, judging, asking, writing."""
    with tempfile.TemporaryDirectory() as folder:
        spent = asyncio.run(_samples(Path(folder)))
    each, usual = SAMPLES_PER_SLOW_LOOK, median(spent)
    more = median(sum(spent[n : n + each]) - usual * each for n in range(0, len(spent), each))
    percent = 100 * sum(spent) / (SAMPLE_SECONDS * len(spent))
    asked = "units and other rooms" if SYSTEMD.is_dir() else "other rooms; no systemd here"
    return [
        ("one sample with its checks", f"{usual * 1e3:.1f} ms", ""),
        (f"once a minute: {asked}", f"{more * 1e3:.1f} ms", ""),
        ("of one core, every 10 s", f"{percent:.3f} %", f"{PROMISED_PERCENT} %"),
    ]
