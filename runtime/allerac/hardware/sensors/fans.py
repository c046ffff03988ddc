"""Fans: https://docs.kernel.org/hwmon/sysfs-interface.html."""

from .sysfs import Sysfs


def read_fans(sysfs: Sysfs) -> float | None:
    """Return turns per minute of the fastest fan; None without one, also where it stands still.

    Boards have more connectors than fans, and an empty one reads as one that does not turn.
    """
    found = [sysfs.number(file) or 0 for file in sysfs.find("sys/class/hwmon", "hwmon*/fan*_input")]
    return float(max(found)) if any(found) else None
