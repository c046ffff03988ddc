"""Processor: time spent, frequency, and how often heat made it slower."""

from dataclasses import dataclass
from typing import Final

from .sysfs import Sysfs

CPUS: Final = "sys/devices/system/cpu"
KILOHERTZ: Final = 1000


@dataclass(frozen=True, slots=True)
class CpuCounters:
    """`busy` and `total` are jiffies since boot; only their growth means something.

    `throttled` counts since boot how often a core or the package was slowed for its temperature;
    `hertz` is the mean over all processors.
    """

    busy: int
    total: int
    hertz: float | None
    throttled: int | None

    def load_since(self, before: "CpuCounters | None") -> float | None:
        """Return the share of all processors in use since `before`, 0 to 100."""
        if before is None or self.total <= before.total:
            return None
        share = (self.busy - before.busy) / (self.total - before.total)
        return 100 * min(max(share, 0.0), 1.0)


def read_cpu(sysfs: Sysfs) -> CpuCounters | None:
    """Read /proc/stat (proc_stat(5)), cpufreq and the thermal_throttle counters of x86.

    https://docs.kernel.org/admin-guide/pm/cpufreq.html; the counters are described in
    Documentation/ABI/testing/sysfs-devices-system-cpu of the kernel.
    """
    first = (sysfs.text("proc/stat") or "").partition("\n")[0].split()
    if len(first) < 6 or first[0] != "cpu":
        return None
    user, nice, system, idle, iowait, *rest = map(int, first[1:9])
    total = user + nice + system + idle + iowait + sum(rest)
    return CpuCounters(total - idle - iowait, total, _hertz(sysfs), _throttled(sysfs))


def _hertz(sysfs: Sysfs) -> float | None:
    found = [
        kilohertz
        for file in sysfs.find(CPUS, "cpu[0-9]*/cpufreq/scaling_cur_freq")
        if (kilohertz := sysfs.number(file))
    ]
    return KILOHERTZ * sum(found) / len(found) if found else None


def _throttled(sysfs: Sysfs) -> int | None:
    """Return the events of all cores, and of each package once, whose number its cores repeat."""
    cores = [
        sysfs.number(file)
        for file in sysfs.find(CPUS, "cpu[0-9]*/thermal_throttle/core_throttle_count")
    ]
    packages: dict[str, int] = {}
    for file in sysfs.find(CPUS, "cpu[0-9]*/thermal_throttle/package_throttle_count"):
        package = sysfs.text(file.parent.parent / "topology/physical_package_id") or "0"
        packages[package] = max(packages.get(package, 0), sysfs.number(file) or 0)
    known = [count for count in cores if count is not None]
    return sum(known) + sum(packages.values()) if known or packages else None
