"""Whether the time of day comes from the network: systemd-timesyncd.service(8)."""

from typing import Final

from .sysfs import Sysfs

FOLDER: Final = "run/systemd/timesync"


def read_clock_synchronised(sysfs: Sysfs) -> bool | None:
    """Tell whether the clock was set since boot; None where timesyncd does not run."""
    if not sysfs.exists(FOLDER):
        return None
    return sysfs.exists(f"{FOLDER}/synchronized")
