"""Temperature of the processor, and the one at which the machine saves itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .sysfs import Sysfs

PROCESSOR_CHIPS: Final = frozenset({"coretemp", "k10temp", "zenpower", "cpu_thermal"})
"""Drivers of processor sensors: docs.kernel.org/hwmon/coretemp.html, k10temp.html."""

PROCESSOR_ZONES: Final = frozenset({"x86_pkg_temp", "cpu-thermal", "cpu_thermal", "TCPU", "acpitz"})
USUAL_LIMIT: Final = 100.0
"""Degrees Celsius: the Tjunction of the processors Allerac runs on (Intel's data sheets)."""

PLAUSIBLE: Final = (1.0, 130.0)
"""Sensors that are not wired read 0 or less, or their largest number."""


@dataclass(frozen=True, slots=True)
class Heat:
    """Degrees Celsius; at `limit` the processor slows itself, a little later it switches off."""

    celsius: float
    limit: float

    @property
    def margin(self) -> float:
        """How many degrees are left."""
        return self.limit - self.celsius


def read_heat(sysfs: Sysfs) -> Heat | None:
    """Read the hottest sensor of the processor from hwmon, else from the thermal zones.

    https://docs.kernel.org/hwmon/sysfs-interface.html, thousandths of a degree.
    """
    found = [*_chips(sysfs)] or [*_zones(sysfs)]
    return max(found, key=lambda heat: heat.celsius, default=None)


def _chips(sysfs: Sysfs) -> list[Heat]:
    found = []
    for chip in sysfs.find("sys/class/hwmon", "hwmon*"):
        if sysfs.text(chip / "name") not in PROCESSOR_CHIPS:
            continue
        for file in sorted(chip.glob("temp*_input")):
            limit = sysfs.number(file.with_name(file.name.replace("_input", "_crit")))
            if heat := _heat(sysfs, file, limit):
                found.append(heat)
    return found


def _zones(sysfs: Sysfs) -> list[Heat]:
    found = []
    for zone in sysfs.find("sys/class/thermal", "thermal_zone*"):
        if sysfs.text(zone / "type") in PROCESSOR_ZONES and (
            heat := _heat(sysfs, zone / "temp", None)
        ):
            found.append(heat)
    return found


def _heat(sysfs: Sysfs, file: Path, limit: int | None) -> Heat | None:
    lowest, highest = PLAUSIBLE
    celsius = (sysfs.number(file) or 0) / 1000
    if not lowest <= celsius <= highest:
        return None
    stated = (limit or 0) / 1000
    return Heat(celsius, stated if lowest < stated <= highest else USUAL_LIMIT)
