"""Electric power of the processor, and the limit set for it: Intel's RAPL by powercap.

https://docs.kernel.org/power/powercap/powercap.html
"""

from dataclasses import dataclass
from typing import Final

from .sysfs import Sysfs

PACKAGE: Final = "sys/class/powercap/intel-rapl:0"
MICRO: Final = 1e-6


@dataclass(frozen=True, slots=True)
class PowerCounters:
    """`joules` grows and begins anew after `range_joules`; since 2020 only root may read it.

    `limit_watts` is the long-term limit (PL1), `rated_watts` what the processor is made for.
    """

    joules: float | None
    range_joules: float | None
    limit_watts: float | None
    rated_watts: float | None

    def watts_since(self, before: "PowerCounters | None", seconds: float) -> float | None:
        """Return the mean power since `before`, `seconds` ago."""
        if before is None or self.joules is None or before.joules is None or seconds <= 0:
            return None
        used = self.joules - before.joules
        if used < 0:
            used += self.range_joules or 0.0
        return used / seconds if used >= 0 else None


def read_power(sysfs: Sysfs) -> PowerCounters | None:
    """Read the package's energy and power limit."""
    if not sysfs.exists(PACKAGE):
        return None
    return PowerCounters(
        joules=_scaled(sysfs, "energy_uj"),
        range_joules=_scaled(sysfs, "max_energy_range_uj"),
        limit_watts=_scaled(sysfs, "constraint_0_power_limit_uw"),
        rated_watts=_scaled(sysfs, "constraint_0_max_power_uw"),
    )


def _scaled(sysfs: Sysfs, name: str) -> float | None:
    number = sysfs.number(f"{PACKAGE}/{name}")
    return None if number is None else number * MICRO
