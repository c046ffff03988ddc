"""Memory and swap: proc_meminfo(5), proc_vmstat(5)."""

import re
from dataclasses import dataclass
from typing import Final

from .sysfs import Sysfs

KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes, except `swapped_pages`: those moved in and out of swap since boot."""

    total: int
    available: int
    swap_total: int
    swap_used: int
    swapped_pages: int


def read_memory(sysfs: Sysfs) -> Memory | None:
    """Read /proc/meminfo and /proc/vmstat."""
    facts = dict(re.findall(r"^(\w+):\s+(\d+) kB", sysfs.text("proc/meminfo") or "", re.MULTILINE))
    if "MemTotal" not in facts or "MemAvailable" not in facts:
        return None
    kib = {name: int(number) * KIB for name, number in facts.items()}
    counters = dict(re.findall(r"^(\w+) (\d+)$", sysfs.text("proc/vmstat") or "", re.MULTILINE))
    return Memory(
        total=kib["MemTotal"],
        available=kib["MemAvailable"],
        swap_total=kib.get("SwapTotal", 0),
        swap_used=kib.get("SwapTotal", 0) - kib.get("SwapFree", 0),
        swapped_pages=sum(int(counters.get(name, 0)) for name in ("pswpin", "pswpout")),
    )
