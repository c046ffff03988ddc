"""What the machine can be asked about itself, one file for each family of sensors.

Everything is read below the root of a `Sysfs`, so that a recorded tree can stand in for the
machine. What a machine does not have is None, or an empty list; nothing here raises for that.
"""

from .battery import Battery, read_battery
from .clock import read_boot, read_clock_synchronised, steady_clock
from .cpu import CpuCounters, read_cpu
from .disk import Disk, FileSystem, read_disk, read_file_system
from .drives import Drive, DriveReader
from .emmc import read_emmc
from .fans import read_fans
from .heat import Heat, read_heat
from .links import Link, read_links
from .memory import Memory, read_memory
from .power import PowerCounters, read_power
from .pressure import Pressure, read_pressure
from .reading import Reading, Sensors
from .sysfs import Sysfs

__all__ = [
    "Battery",
    "CpuCounters",
    "Disk",
    "Drive",
    "DriveReader",
    "FileSystem",
    "Heat",
    "Link",
    "Memory",
    "PowerCounters",
    "Pressure",
    "Reading",
    "Sensors",
    "Sysfs",
    "read_battery",
    "read_boot",
    "read_clock_synchronised",
    "read_cpu",
    "read_disk",
    "read_emmc",
    "read_fans",
    "read_file_system",
    "read_heat",
    "read_links",
    "read_memory",
    "read_power",
    "read_pressure",
    "steady_clock",
]
