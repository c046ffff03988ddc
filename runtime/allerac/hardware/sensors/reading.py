"""All sensors at once."""

from dataclasses import dataclass, field
from pathlib import Path

from .battery import Battery, read_battery
from .clock import read_clock_synchronised
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
from .sysfs import Sysfs


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The machine at one moment; what it does not have is None or empty."""

    cpu: CpuCounters | None = None
    heat: Heat | None = None
    power: PowerCounters | None = None
    fan_turns: float | None = None
    memory: Memory | None = None
    pressure: Pressure | None = None
    disk: Disk | None = None
    file_system: FileSystem | None = None
    drives: list[Drive] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    battery: Battery | None = None
    clock_synchronised: bool | None = None


class Sensors:
    """Reads the machine below a root, for the disk of `data_dir`."""

    def __init__(self, sysfs: Sysfs, data_dir: Path, drives: DriveReader | None = None) -> None:
        self._sysfs = sysfs
        self._data_dir = data_dir
        self._drives = drives or DriveReader(sysfs)

    def read(self) -> Reading:
        """Read everything; call it from a thread, for a driver may take its time."""
        sysfs = self._sysfs
        return Reading(
            cpu=read_cpu(sysfs),
            heat=read_heat(sysfs),
            power=read_power(sysfs),
            fan_turns=read_fans(sysfs),
            memory=read_memory(sysfs),
            pressure=read_pressure(sysfs),
            disk=read_disk(sysfs, self._data_dir),
            file_system=read_file_system(sysfs, self._data_dir),
            drives=[*self._drives.drives, *read_emmc(sysfs)],
            links=read_links(sysfs),
            battery=read_battery(sysfs),
            clock_synchronised=read_clock_synchronised(sysfs),
        )

    def refresh_drives(self) -> None:
        """Ask the drives when it is time; call it from the event loop."""
        self._drives.refresh()

    async def stop(self) -> None:
        """Ask the drives no further."""
        await self._drives.stop()
