"""Wired network links: Documentation/ABI/testing/sysfs-class-net of the kernel."""

from dataclasses import dataclass

from .sysfs import Sysfs


@dataclass(frozen=True, slots=True)
class Link:
    """`megabits` is None without a cable; `changes` counts since boot how often it came or went."""

    name: str
    up: bool
    megabits: int | None
    changes: int


def read_links(sysfs: Sysfs) -> list[Link]:
    """Return cards with a plug: those of the machine's own hardware that are not wireless."""
    found = []
    for folder in sysfs.find("sys/class/net", "*"):
        if not sysfs.exists(folder / "device") or sysfs.exists(folder / "wireless"):
            continue
        speed = sysfs.number(folder / "speed") or 0
        found.append(
            Link(
                name=folder.name,
                up=sysfs.text(folder / "operstate") == "up",
                megabits=speed if speed > 0 else None,
                changes=sysfs.number(folder / "carrier_changes") or 0,
            )
        )
    return found
