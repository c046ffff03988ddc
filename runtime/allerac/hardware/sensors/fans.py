"""Fans: https://docs.kernel.org/hwmon/sysfs-interface.html."""

from typing import Final

from .sysfs import Sysfs

CARDS: Final = frozenset({"amdgpu", "i915", "nouveau", "radeon", "xe"})
"""Drivers of graphics cards: their fans follow their own heat, and rest while there is none."""


def read_fans(sysfs: Sysfs) -> float | None:
    """Return turns per minute of the board's fastest fan, 0 where none turns; None without one.

    Boards have more connectors than fans, and an empty one reads as one that does not turn: only
    who has seen a fan turn knows that there is one.
    """
    turns = [
        sysfs.number(file)
        for chip in sysfs.find("sys/class/hwmon", "hwmon*")
        if sysfs.text(chip / "name") not in CARDS
        for file in chip.glob("fan*_input")
    ]
    return max((float(one) for one in turns if one is not None), default=None)
