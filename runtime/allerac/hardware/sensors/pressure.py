"""Pressure stall information: the share of time in which work waits for a resource.

https://docs.kernel.org/accounting/psi.html
"""

import re
from dataclasses import dataclass

from .sysfs import Sysfs


@dataclass(frozen=True, slots=True)
class Pressure:
    """Per cent of the last ten seconds in which something waited; None where it is not counted.

    `memory_full` is the share in which nothing but waiting was done.
    """

    cpu: float | None
    memory: float | None
    memory_full: float | None
    io: float | None


def read_pressure(sysfs: Sysfs) -> Pressure | None:
    """Read /proc/pressure; None for a kernel without it."""
    pressure = Pressure(
        cpu=_share(sysfs, "cpu", "some"),
        memory=_share(sysfs, "memory", "some"),
        memory_full=_share(sysfs, "memory", "full"),
        io=_share(sysfs, "io", "some"),
    )
    return None if pressure == Pressure(None, None, None, None) else pressure


def _share(sysfs: Sysfs, resource: str, kind: str) -> float | None:
    text = sysfs.text(f"proc/pressure/{resource}") or ""
    match = re.search(rf"^{kind} avg10=(\d+(?:\.\d+)?)", text, re.MULTILINE)
    return float(match[1]) if match else None
