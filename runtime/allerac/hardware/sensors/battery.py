"""Battery or UPS: Documentation/ABI/testing/sysfs-class-power of the kernel."""

from dataclasses import dataclass
from typing import Final

from .sysfs import Sysfs

KINDS: Final = frozenset({"Battery", "UPS"})


@dataclass(frozen=True, slots=True)
class Battery:
    """What keeps the box running when the mains fail."""

    percent: int
    discharging: bool


def read_battery(sysfs: Sysfs) -> Battery | None:
    """Return the first that powers the machine rather than a mouse or a keyboard."""
    for folder in sysfs.find("sys/class/power_supply", "*"):
        percent = sysfs.number(folder / "capacity")
        is_ours = sysfs.text(folder / "scope") != "Device"
        if sysfs.text(folder / "type") in KINDS and is_ours and percent is not None:
            return Battery(percent, sysfs.text(folder / "status") == "Discharging")
    return None
