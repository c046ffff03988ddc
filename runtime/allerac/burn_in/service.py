"""The burn-in from beginning to end."""

import asyncio
from collections.abc import Callable
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

FORMAT = 1
GIB = 1 << 30
MEMORY_SHARE = 0.8
"""Of the free memory: the rest lets the system live meanwhile."""

NOTHING = "nothing to compare here"
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
    `attempt` which burn-in since then it is; `tell` gets a line for the console now and then.
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
        load: Load,
        data_dir: Path,
        version: str,
        extent: Extent,
        tell: Callable[[str], None],
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
        self._load = load
        self._data_dir = data_dir
        self._version = version
        self._extent = extent
        self._tell = tell
        self._sysfs = sysfs or Sysfs()
        self._drives = drives or DriveTester(self._sysfs, tell)
        self._clock = clock

    async def run(self) -> dict[str, Any]:
        """Do every check, none before the other is over, and return what there is to sign."""
        began = self._clock()
        network, macs = probe_network(self._sysfs)
        outcomes = [
            self._told(probe_tier(self._machine, self._profiles, self._profile.id, self._image)),
            self._told(probe_memory_channels(self._machine, self._profile)),
            self._told(probe_power_limit(self._sysfs, self._profile)),
            self._told(probe_clock(self._sysfs, began)),
            self._told(probe_tpm(self._sysfs)),
            self._told(network),
            *[self._told(one) for one in await self._drive_outcomes()],
            self._told(await self._memory()),
            self._told(await self._disk()),
        ]
        outcomes += [self._told(one) for one in await self._inference()]
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

    def _told(self, outcome: Outcome) -> Outcome:
        facts = ", ".join(f"{k} {v}" for k, v in outcome.measured.items() if v not in {None, ""})
        sign = "✓" if outcome.passed else "✗"
        self._tell(f"{sign} {outcome.name:16} {outcome.reason or facts or NOTHING}")
        return outcome

    async def _drive_outcomes(self) -> list[Outcome]:
        tested = await self._drives.test_all()
        told = [drive_of(one.name, one.answer) for one in tested]
        return [
            judge_self_tests(tested),
            probe_drive_verdicts(drive for drive in told if drive),
        ]

    async def _memory(self) -> Outcome:
        return await asyncio.to_thread(probe_memory, self._extent.memory_bytes)

    async def _disk(self) -> Outcome:
        least = None if self._machine.virtual else self._extent.least_disk_mb_per_second
        return await asyncio.to_thread(probe_disk, self._data_dir, self._extent.disk_bytes, least)

    async def _inference(self) -> list[Outcome]:
        return await run_load(
            self._load,
            self._sysfs,
            self._profile.burn_in,
            self._extent.load_seconds,
            self._tell,
        )
