"""The burn-in from beginning to end."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from allerac.appliance.identity import FactoryIdentity
from allerac.hardware.drive_test import DriveTester
from allerac.hardware.machine import Machine, memory_available_bytes
from allerac.hardware.profile import Profile, Profiles
from allerac.hardware.sensors import Sysfs
from allerac.hardware.sensors.drives import drive_of

from .device_key import DeviceKey
from .heat import run_load
from .load import Load
from .outcome import Outcome
from .probes import (
    judge_self_tests,
    probe_clock,
    probe_disk,
    probe_drive_verdicts,
    probe_memory,
    probe_memory_channels,
    probe_network,
    probe_power_limit,
    probe_tier,
    probe_tpm,
)
from .reporter import Reporter

FORMAT = 1
CHECKS = 12
GIB = 1 << 30
MEMORY_SHARE = 0.8
"""Of the free memory: the rest lets the system live meanwhile."""

DISK_BYTES = 1 * GIB
MIN_DISK_MB_PER_SECOND = 60.0
"""A tenth of what the drives of the tiers do: what is below is faulty, or not what was ordered."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is tested."""

    load_seconds: float
    memory_bytes: int
    disk_bytes: int = DISK_BYTES
    least_disk_mb_per_second: float | None = MIN_DISK_MB_PER_SECOND

    @classmethod
    def of(cls, profile: Profile) -> "Extent":
        """Return what the tier asks for."""
        return cls(profile.burn_in.minutes * 60.0, int(memory_available_bytes() * MEMORY_SHARE))


class BurnIn:
    """One unit's, by the limits of the tier it was made as, whatever its machine looks like.

    `image` is the tier of its image, if that says one, `flash_id` the writing of its drive,
    `attempt` which burn-in since then it is; `key` will sign; `reporter` hears how it goes.
    """

    def __init__(
        self,
        *,
        identity: FactoryIdentity,
        machine: Machine,
        profiles: Profiles,
        tier: str,
        image: str | None,
        flash_id: str | None,
        attempt: int,
        key: DeviceKey,
        load: Load,
        data_dir: Path,
        version: str,
        extent: Extent,
        reporter: Reporter,
        sysfs: Sysfs | None = None,
        drives: DriveTester | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._identity = identity
        self._machine = machine
        self._profiles = profiles
        self._profile = profiles.by_id[tier]
        self._image = image
        self._flash_id = flash_id
        self._attempt = attempt
        self._key = key
        self._load = load
        self._data_dir = data_dir
        self._version = version
        self._extent = extent
        self._reporter = reporter
        self._sysfs = sysfs or Sysfs()
        self._drives = drives or DriveTester(self._sysfs, reporter.tell)
        self._clock = clock

    async def run(self) -> dict[str, Any]:
        """Do every check, none before the other is over, and return what there is to sign."""
        began = self._clock()
        self._reporter.begin(CHECKS)
        network, macs = probe_network(self._sysfs)
        outcomes = [self._reporter.found(one) for one in self._looks(began)]
        outcomes.append(self._reporter.found(network))
        for name, check in (
            ("the drives' own tests", self._drive_outcomes),
            ("memory", self._memory),
            ("disk", self._disk),
            ("inference and heat", self._inference),
        ):
            self._reporter.test(name)
            outcomes += [self._reporter.found(one) for one in await check()]
        return {
            "format": FORMAT,
            "serial": self._identity.serial,
            "device_id": self._identity.device_id,
            "flash_id": self._flash_id,
            "attempt": self._attempt,
            "profile": self._profile.id,
            "processor": self._machine.cpu,
            "memory_bytes": self._machine.memory_bytes,
            "version": self._version,
            "macs": macs,
            "began_at": began.isoformat(timespec="seconds"),
            "ended_at": self._clock().isoformat(timespec="seconds"),
            "passed": all(outcome.passed for outcome in outcomes),
            "checks": [outcome.as_json() for outcome in outcomes],
        }

    def _looks(self, began: datetime) -> Iterator[Outcome]:
        """Yield the outcomes of what takes no time."""
        yield probe_tier(self._machine, self._profiles, self._profile.id, self._image)
        yield probe_memory_channels(self._machine, self._profile)
        yield probe_power_limit(self._sysfs, self._profile)
        yield probe_clock(self._sysfs, began)
        yield probe_tpm(self._sysfs, self._key)

    async def _drive_outcomes(self) -> list[Outcome]:
        tested = await self._drives.test_all()
        told = [drive_of(one.name, one.answer) for one in tested]
        return [
            judge_self_tests(tested),
            probe_drive_verdicts(drive for drive in told if drive),
        ]

    async def _memory(self) -> list[Outcome]:
        return [await asyncio.to_thread(probe_memory, self._extent.memory_bytes)]

    async def _disk(self) -> list[Outcome]:
        least = None if self._machine.virtual else self._extent.least_disk_mb_per_second
        size = self._extent.disk_bytes
        return [await asyncio.to_thread(probe_disk, self._data_dir, size, least)]

    async def _inference(self) -> list[Outcome]:
        return await run_load(
            self._load,
            self._sysfs,
            self._profile.burn_in,
            self._extent.load_seconds,
            self._reporter.tell,
        )
