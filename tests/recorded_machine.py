"""Files as a machine's kernel and smartctl would write them, made by hand from their documentation.

No file here was copied from a real machine. Sources: docs.kernel.org for hwmon, powercap, PSI and
iostats; the kernel's Documentation/ABI/testing for sysfs; proc(5); smartmontools 7.3 for JSON.

`python -m tests.recorded_machine FOLDER` writes a machine that warms up and cools down again, for
`ALLERAC_SENSORS_ROOT=FOLDER make run`; with `--faster 10` ten of its seconds are one of ours.
"""

import argparse
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

GIB = 2**30
CORES = 4
HWMON, NET, CPU = "sys/class/hwmon", "sys/class/net", "sys/devices/system/cpu"
RAPL = "sys/class/powercap/intel-rapl:0"

SMART_SATA: Mapping[str, Any] = {
    "model_name": "Example SATA SSD",
    "smart_status": {"passed": True},
    "temperature": {"current": 35},
    "ata_smart_attributes": {
        "table": [
            {"id": 5, "name": "Reallocated_Sector_Ct", "value": 100, "raw": {"value": 0}},
            {"id": 177, "name": "Wear_Leveling_Count", "value": 97, "raw": {"value": 31}},
            {"id": 197, "name": "Current_Pending_Sector", "value": 100, "raw": {"value": 0}},
        ]
    },
}
SMART_NVME: Mapping[str, Any] = {
    "model_name": "Example NVMe SSD",
    "smart_status": {"passed": True},
    "nvme_smart_health_information_log": {
        "critical_warning": 0,
        "temperature": 41,
        "available_spare": 100,
        "available_spare_threshold": 10,
        "percentage_used": 3,
        "media_errors": 0,
    },
    "temperature": {"current": 41},
}


@dataclass(frozen=True, slots=True)
class RecordedMachine:
    """Writes below `root` what its sensors shall say."""

    root: Path

    def write(self, path: str, text: object) -> None:
        """Write one file, whole or not at all; one that says so already stays."""
        file, line = self.root / path, f"{text}\n"
        if file.is_file() and file.read_text() == line:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch = file.with_name(f".{file.name}.part")
        scratch.write_text(line)
        scratch.replace(file)

    def remove(self, path: str) -> None:
        """Have no such sensor."""
        target = self.root / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    def usual(self) -> "RecordedMachine":
        """Be a small machine in good health with an N100, 16 GB and 256 GB."""
        self.work(busy=1000, idle=99000)
        self.frequency(2_900_000)
        self.throttled(0)
        self.heat(48.0)
        self.power(joules=1000.0, limit_watts=15.0, rated_watts=15.0)
        self.fan(1450)
        self.memory(total=16 * GIB, available=9 * GIB)
        self.pressure()
        self.disk(total=240 * GIB, free=150 * GIB)
        self.mount()
        self.drive("nvme0n1", SMART_NVME)
        self.link("enp1s0")
        self.clock(synchronised=True)
        return self

    def work(self, *, busy: int, idle: int) -> None:
        """Count time of the processors, in jiffies since boot."""
        self.write(
            "proc/stat", f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 {busy} 0 0 {idle} 0 0 0 0 0 0"
        )

    def frequency(self, kilohertz: int) -> None:
        """Run all cores at this speed."""
        for core in range(CORES):
            self.write(f"{CPU}/cpu{core}/cpufreq/scaling_cur_freq", kilohertz)

    def throttled(self, times: int) -> None:
        """Count how often the package was slowed; every core repeats the package's number."""
        for core in range(CORES):
            folder = f"{CPU}/cpu{core}"
            self.write(f"{folder}/thermal_throttle/core_throttle_count", 0)
            self.write(f"{folder}/thermal_throttle/package_throttle_count", times)
            self.write(f"{folder}/topology/physical_package_id", 0)

    def heat(self, celsius: float) -> None:
        """Be this hot; a second sensor is a little cooler."""
        self.write(f"{HWMON}/hwmon2/name", "coretemp")
        for number, less in ((1, 0.0), (2, 2.0)):
            self.write(f"{HWMON}/hwmon2/temp{number}_input", round((celsius - less) * 1000))
            self.write(f"{HWMON}/hwmon2/temp{number}_crit", 105_000)

    def power(self, *, joules: float, limit_watts: float, rated_watts: float) -> None:
        """Have used this much energy under this limit."""
        for name, value in (
            ("energy_uj", joules),
            ("max_energy_range_uj", 262_143.0),
            ("constraint_0_power_limit_uw", limit_watts),
            ("constraint_0_max_power_uw", rated_watts),
        ):
            self.write(f"{RAPL}/{name}", round(value * 1e6))

    def fan(self, turns: int) -> None:
        """Turn the one fan; the board's second connector is empty."""
        self.write(f"{HWMON}/hwmon3/name", "nct6798")
        self.write(f"{HWMON}/hwmon3/fan1_input", turns)
        self.write(f"{HWMON}/hwmon3/fan2_input", 0)

    def card_fan(self, turns: int) -> None:
        """Have a graphics card with a fan of its own."""
        self.write(f"{HWMON}/hwmon4/name", "amdgpu")
        self.write(f"{HWMON}/hwmon4/fan1_input", turns)

    def memory(
        self, *, total: int, available: int, swap: int = 0, swap_used: int = 0, swapped: int = 0
    ) -> None:
        """Have this much memory in bytes, and have moved `swapped` pages each way."""
        lines = {
            "MemTotal": total,
            "MemFree": available // 2,
            "MemAvailable": available,
            "SwapTotal": swap,
            "SwapFree": swap - swap_used,
        }
        self.write(
            "proc/meminfo",
            "\n".join(f"{name}: {size // 1024:14} kB" for name, size in lines.items()),
        )
        self.write("proc/vmstat", f"nr_free_pages 1\npswpin {swapped}\npswpout {swapped}")

    def processor(self, recorded: Path) -> None:
        """Have the processor of a tree such as those of the machines that tiers are tested with."""
        for file in recorded.rglob("*"):
            if file.is_file() and file.name != "meminfo":
                self.write(str(file.relative_to(recorded)), file.read_text().rstrip("\n"))

    def memory_sockets(self, *devices: bytes) -> None:
        """Have the firmware tell of these sockets."""
        for number, raw in enumerate(devices):
            file = self.root / f"sys/firmware/dmi/entries/17-{number}/raw"
            file.parent.mkdir(parents=True)
            file.write_bytes(raw)

    def pressure(self, *, cpu: float = 0.0, memory: float = 0.0, io: float = 0.0) -> None:
        """Have work wait in this share of the time."""
        for resource, share in (("cpu", cpu), ("memory", memory), ("io", io)):
            self.write(
                f"proc/pressure/{resource}",
                f"some avg10={share:.2f} avg60=0.00 avg300=0.00 total=0\n"
                f"full avg10={share / 2:.2f} avg60=0.00 avg300=0.00 total=0",
            )

    def disk(self, *, total: int, free: int, written_bytes: int = 0) -> None:
        """Have this much room."""
        self.write("allerac/space", f"{total} {free}")
        sectors = written_bytes // 512
        self.write(
            "proc/diskstats",
            f" 259 0 nvme0n1 10 0 2048 5 20 0 {sectors} 9 0 12 14\n"
            " 259 1 nvme0n1p1 9 0 9 9 9 0 9 9 0 9 9",
        )

    def mount(self, *, read_only: bool = False, errors: int = 0) -> None:
        """Mount one ext4 for everything."""
        options = "ro,relatime" if read_only else "rw,relatime"
        self.write(
            "proc/self/mounts", f"proc /proc proc rw 0 0\n/dev/nvme0n1p6 / ext4 {options} 0 0"
        )
        self.write("sys/fs/ext4/nvme0n1p6/errors_count", errors)

    def drive(self, name: str, answer: Mapping[str, Any]) -> None:
        """Have smartctl say this of a drive."""
        self.write(f"run/allerac-smart/{name}.json", json.dumps(answer))

    def emmc(self, *, life: str = "0x01 0x02", reserve: str = "0x01") -> None:
        """Have an eMMC with these two estimates of its wear."""
        self.write("sys/block/mmcblk0/device/life_time", life)
        self.write("sys/block/mmcblk0/device/pre_eol_info", reserve)
        self.write("sys/block/mmcblk0/device/name", "DA4064")

    def link(self, name: str, *, up: bool = True, megabits: int = 1000, changes: int = 1) -> None:
        """Have a network card; without a cable its speed is -1."""
        self.write(f"{NET}/{name}/operstate", "up" if up else "down")
        self.write(f"{NET}/{name}/speed", megabits if up else -1)
        self.write(f"{NET}/{name}/carrier_changes", changes)
        self.write(f"{NET}/{name}/device/vendor", "0x10ec")
        self.write(f"{NET}/lo/operstate", "unknown")

    def battery(self, percent: int, status: str, kind: str = "Battery") -> None:
        """Have a battery, or a UPS that the kernel knows; a mouse has one of its own."""
        for name, text in (("type", kind), ("capacity", percent), ("status", status)):
            self.write(f"sys/class/power_supply/BAT0/{name}", text)
        for name, text in (
            ("type", "Battery"),
            ("scope", "Device"),
            ("capacity", "5"),
            ("status", "Discharging"),
        ):
            self.write(f"sys/class/power_supply/AAA-mouse/{name}", text)

    def uptime(self, seconds: float) -> None:
        """Have been on for so long; without this it lives in the time of who looks at it."""
        self.write("proc/uptime", f"{seconds:.2f} {seconds:.2f}")

    def clock(self, *, synchronised: bool) -> None:
        """Run timesyncd, which makes a file once it has set the clock."""
        (self.root / "run/systemd/timesync").mkdir(parents=True, exist_ok=True)
        if synchronised:
            self.write("run/systemd/timesync/synchronized", "")


TICK_SECONDS = 0.05


@dataclass(slots=True)
class MachineTime:
    """The time of a recorded machine; it stands still unless it is let pass, or skipped."""

    machine: RecordedMachine
    seconds: float = 0.0
    _alone: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        """Have just been switched on."""
        self.machine.uptime(self.seconds)

    def skip(self, seconds: float) -> None:
        """Be so much later."""
        with self._alone:
            self.seconds += seconds
            self.machine.uptime(self.seconds)

    @contextmanager
    def passing(self, faster: float) -> Iterator[None]:
        """Let `faster` of its seconds pass in each of ours."""
        over = Event()

        def go_on() -> None:
            while not over.wait(TICK_SECONDS):
                self.skip(TICK_SECONDS * faster)

        thread = Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def memory_socket(locator: str, *, megabytes: int) -> bytes:
    """Return an SMBIOS type 17 structure of version 2.1 with its strings (DMTF DSP0134, 7.18)."""
    header = bytes([17, 0x15, 0, 0]) + bytes(8)
    body = megabytes.to_bytes(2, "little") + bytes([9, 0, 1, 2, 0, 0, 0])
    return header + body + locator.encode() + b"\0BANK 0\0\0"


def heat_up(machine: RecordedMachine, peak: float = 101.0) -> Iterator[float]:
    """Yield each temperature after writing it: warm up to `peak`, stay, and cool down again."""
    resting, step = 48.0, 3.0
    up = [resting + step * n for n in range(int((peak - resting) / step) + 1)]
    for celsius in [*up, *[peak] * 12, *reversed(up)]:
        machine.heat(celsius)
        machine.frequency(2_900_000 if celsius < 95 else 1_400_000)
        yield celsius


def main() -> None:
    """Warm a machine up and let it cool, for ever."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--step-seconds", type=float, default=5.0, help="of its own time")
    parser.add_argument("--faster", type=float, default=1.0)
    arguments = parser.parse_args()
    machine = RecordedMachine(arguments.folder).usual()
    with MachineTime(machine).passing(arguments.faster):
        while True:
            for celsius in heat_up(machine):
                print(f"{celsius:.0f} degrees", flush=True)  # noqa: T201 - a program for a terminal
                time.sleep(arguments.step_seconds / arguments.faster)


if __name__ == "__main__":
    main()
