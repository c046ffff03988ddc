"""What a station takes: its writing beside dd, its memory, and what one unit more costs."""

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.factory.small_image import SmallImage, make_small_image
from tests.factory.workshop import DRIVE_BYTES, Workshop

ROOT_BYTES = 1024 << 20
"""Half of it is written."""

STRIPE_BYTES = 16 << 20
"""Whole blocks of dd's, which then skips nearly what we skip."""

SECTOR_BYTES = 512
"""What stat(2) counts in."""

MB = 1_000_000
ROUNDS = 7
FEW, MANY = 8, 9


def measure_factory() -> list[tuple[str, str, str]]:
    """Write drives that are files, dd and the station in turns; all in one run on one disk."""
    with tempfile.TemporaryDirectory(prefix="allerac-bench-") as name:
        folder = Path(name)
        image = make_small_image(folder / "image", ROOT_BYTES, STRIPE_BYTES)
        ratios = sorted(beside_dd(folder, image, n) for n in range(ROUNDS))
        few, many = (time_units(folder / f"units-{n}", image, n) for n in (FEW, MANY))
    return [
        (
            f"speed of writing beside dd's, {ROUNDS} turns",
            f"{statistics.median(ratios):.0%} ({ratios[0]:.0%} to {ratios[-1]:.0%})",
            "90 %",
        ),
        (f"memory for each of {FEW} drives", f"{few.peak / FEW / MB:.0f} MB", "100 MB"),
        ("time of the ninth unit", f"{many.total - few.total:+.1f} s of {few.total:.1f} s", ""),
    ]


class Figures:
    """Seconds of the whole, bytes a second of the slowest drive's writing, peak memory in bytes."""

    def __init__(self, total: float, rate: float, peak: int) -> None:
        self.total = total
        self.rate = rate
        self.peak = peak


def beside_dd(folder: Path, image: SmallImage, turn: int) -> float:
    """Let dd write a drive, then the station; return the ratio of the station's rate to dd's."""
    dd = rate_of_dd(image, folder / "dd.img")
    return time_units(folder / f"one-{turn}", image, 1).rate / dd


def rate_of_dd(image: SmallImage, drive: Path) -> float:
    """Return the bytes a second that dd writes of what is not empty of the image."""
    drive.unlink(missing_ok=True)
    with drive.open("wb") as file:
        file.truncate(DRIVE_BYTES)
    options = ["bs=4M", "oflag=direct", "conv=sparse,fsync,notrunc", "status=none"]
    began = time.perf_counter()
    subprocess.run(["dd", f"if={image.raw}", f"of={drive}", *options], check=True)  # noqa: S607 - the tool of the distribution
    seconds = time.perf_counter() - began
    return drive.stat().st_blocks * SECTOR_BYTES / seconds


def time_units(folder: Path, image: SmallImage, count: int) -> Figures:
    """Write `count` drives at once by a station of its own process; all share what is unpacked."""
    shop = Workshop(folder, image)
    cache = ("--cache", str(folder.parent / "cache"))
    for number in range(count):
        shop.drive(f"D{number}")
    command = [sys.executable, "-m", "allerac_factory", *shop.flash_words(shop.job(), *cache)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    total = time.perf_counter() - began
    if process.returncode != 0:
        raise RuntimeError(f"The station ended with status {process.returncode}.")
    rates = [
        act.intended["bytes"] / act.observed["write_seconds"]
        for act in shop.acts()
        if act.act == "written"
    ]
    for drive in shop.drives.iterdir():
        with contextlib.suppress(FileNotFoundError):
            drive.unlink()
    return Figures(total, min(rates), usage.ru_maxrss * 1024)
