"""Wear of eMMC: Documentation/ABI/testing/sysfs-bus-mmc of the kernel, JESD84-B51 7.4."""

from typing import Final

from .drives import Drive
from .sysfs import Sysfs

STEP_PERCENT: Final = 10
"""`life_time` counts in steps of ten per cent used, 0x01 for up to 10, 0x0B for beyond its life."""

URGENT: Final = 3
"""`pre_eol_info`: 1 normal, 2 warning (80 % of the spare blocks used), 3 urgent (90 %)."""


def read_emmc(sysfs: Sysfs) -> list[Drive]:
    """Return each eMMC with the worse of its two estimates."""
    found = []
    for folder in sysfs.find("sys/block", "mmcblk[0-9]"):
        steps = [_step(text) for text in (sysfs.text(folder / "device/life_time") or "").split()]
        if not any(steps):
            continue
        reserve = sysfs.number(folder / "device/pre_eol_info") or 0
        found.append(
            Drive(
                name=folder.name,
                model=sysfs.text(folder / "device/name") or "eMMC",
                kind="emmc",
                failing=reserve >= URGENT,
                worn_percent=float(STEP_PERCENT * max(steps)),
            )
        )
    return found


def _step(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        return 0
