"""What this machine is, read from /proc and /sys below a root that tests replace."""

import os
import platform
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

KIB = 1024
_DMI_MEMORY_DEVICE = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine as its system sees it.

    Cores are physical ones: `cores_performance` and `cores_efficient` where the processor has two
    kinds, otherwise all are performance cores, except on the processors whose cores are known to be
    efficient ones. `memory_channels` is None where the firmware's tables cannot be read.
    `flags` holds those of `avx2`, `avx_vnni` and `avx512f` that the processor has.
    """

    cpu: str
    cores_performance: int
    cores_efficient: int
    threads: int
    memory_bytes: int
    memory_channels: int | None
    flags: frozenset[str]
    virtual: bool
    disk_free_bytes: int

    @property
    def cores(self) -> int:
        """Physical cores of both kinds."""
        return self.cores_performance + self.cores_efficient


def detect_machine(
    root: Path = Path("/"),
    *,
    data_dir: Path | None = None,
) -> Machine:
    """Read the machine below `root`; `data_dir` names the disk whose free space counts.

    What cannot be read is estimated from psutil when `root` is the running system.
    """
    processors = _processors(_read(root / "proc/cpuinfo"))
    first = processors[0] if processors else {}
    cpu = first.get("model name") or platform.processor() or "unknown processor"
    flags = frozenset(first.get("flags", "").split())
    efficient_cpus = cpu_list(_read(root / "sys/devices/cpu_atom/cpus"))
    performance, efficient = _cores(processors, efficient_cpus, cpu)
    return Machine(
        cpu=" ".join(cpu.split()),
        cores_performance=performance,
        cores_efficient=efficient,
        threads=len(processors) or os.cpu_count() or 1,
        memory_bytes=_memory_bytes(_read(root / "proc/meminfo")),
        memory_channels=_memory_channels(root / "sys/firmware/dmi/entries"),
        flags=flags & {"avx2", "avx_vnni", "avx512f"},
        virtual="hypervisor" in flags,
        disk_free_bytes=disk_free_bytes(data_dir or Path.cwd()),
    )


def disk_free_bytes(path: Path) -> int:
    """Bytes that may still be written on the disk of `path`, which need not exist yet."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


def disk_total_bytes(path: Path) -> int:
    """Size of the disk of `path`, which need not exist yet."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).total


def memory_available_bytes() -> int:
    """Memory that programs can take without swapping."""
    return psutil.virtual_memory().available


def memory_used_bytes() -> int:
    """Resident memory of this process."""
    return int(psutil.Process().memory_info().rss)


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def _processors(cpuinfo: str) -> list[dict[str, str]]:
    """One mapping of field to value for each logical processor of /proc/cpuinfo."""
    blocks = [
        {
            key.strip(): value.strip()
            for key, _, value in (line.partition(":") for line in block.splitlines())
        }
        for block in re.split(r"\n\s*\n", cpuinfo)
    ]
    return [block for block in blocks if "processor" in block]


def cpu_list(text: str) -> frozenset[int]:
    """Parse a list such as `0-3,8` (kernel documentation, cputopology)."""
    return frozenset(
        number
        for first, last in re.findall(r"\b(\d+)(?:-(\d+))?(?=,|$)", text.strip())
        for number in range(int(first), int(last or first) + 1)
    )


# Processors of the Alder Lake-N and Twin Lake series have Gracemont cores only, so the kernel does
# not divide them in kinds.
_ALL_EFFICIENT = re.compile(r"^Intel\b.*\b(N\d{2,3}|i3-N3\d{2})\b")


def _cores(
    processors: Iterable[dict[str, str]], efficient_cpus: frozenset[int], cpu: str
) -> tuple[int, int]:
    """Count physical cores as (performance, efficient)."""
    performance: set[tuple[str, str]] = set()
    efficient: set[tuple[str, str]] = set()
    for processor in processors:
        number = processor["processor"]
        core = (processor.get("physical id", "0"), processor.get("core id", number))
        (efficient if int(number) in efficient_cpus else performance).add(core)
    if not performance and not efficient:
        return psutil.cpu_count(logical=False) or os.cpu_count() or 1, 0
    if not efficient and _ALL_EFFICIENT.search(cpu):
        return 0, len(performance)
    return len(performance), len(efficient)


def _memory_bytes(meminfo: str) -> int:
    match = re.search(r"^MemTotal:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(match[1]) * KIB if match else psutil.virtual_memory().total


def _memory_channels(entries: Path) -> int | None:
    """Count channels with a module in them, from the firmware's memory devices (SMBIOS type 17).

    Boards name them freely ("Controller1-ChannelA-DIMM0", "ChannelB-DIMM0", "DIMM 1"). None when
    the tables are absent or only root may read them.
    """
    channels: set[str] = set()
    for entry in sorted(entries.glob(f"{_DMI_MEMORY_DEVICE}-*/raw")):
        try:
            raw = entry.read_bytes()
        except OSError:
            return None
        if locator := _populated_locator(raw):
            channels.add(_channel_of(locator))
    return len(channels) or None


def _populated_locator(raw: bytes) -> str | None:
    """Where the module of a type 17 structure sits; None for an empty socket.

    Size is the word at offset 0x0C, the number of the locator's string is at 0x10
    (DMTF DSP0134, section 7.18).
    """
    if len(raw) < 0x12 or raw[0] != _DMI_MEMORY_DEVICE:
        return None
    if int.from_bytes(raw[0x0C:0x0E], "little") in (0, 0xFFFF):
        return None
    strings = raw[raw[1] :].split(b"\0")
    number = raw[0x10]
    if not 0 < number <= len(strings):
        return "module"
    return strings[number - 1].decode("ascii", errors="replace")


def _channel_of(locator: str) -> str:
    """Drop what tells two sockets of one channel apart, where the board names channels."""
    match = re.match(r"(.*channel[ _-]?\w)", locator, re.IGNORECASE)
    return (match[1] if match else locator).lower()
