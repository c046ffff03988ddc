"""What a station does with the built image, and units that start in the emulator."""

import re
import subprocess
import sys
import time
from pathlib import Path

from bootstrap.steps import cache_folder
from tests.factory.label_scanner import scanned
from tests.factory.small_image import SmallImage
from tests.factory.unit_start import DESK
from tests.factory.workshop import Workshop
from tests.image.conftest import BuiltImage
from tests.image.emulated_lan import EmulatedLan

DRIVE_BYTES = 8 << 30
"""Sparse: the system, a GiB for the drive's test and as much again."""

BURN_IN_SECONDS = 2400.0
"""A minute of answers, most of the memory and a GiB of the drive, all of it emulated."""

OFFER_SECONDS = 240.0


def signed_image(image: BuiltImage) -> SmallImage:
    """Return a built image as a station gets it: with who vouches for it."""
    trust = cache_folder() / "keys" / "ca.crt"
    return SmallImage(image.folder, trust, trust, trust, image.file(".img"))


def verdict_on(serial: str) -> re.Pattern[str]:
    """Return what the console says at the end of this unit's burn-in."""
    return re.compile(rf"{serial} has (passed|failed) its burn-in")


def collect(station: Workshop, lan: EmulatedLan) -> str:
    """Collect from the network, as a person types it, until a unit was found."""
    words = [*lan.prefix, sys.executable, "-m", "allerac_factory", "collect", "--network", *DESK]
    end = time.monotonic() + OFFER_SECONDS
    while True:
        command = [*words, "--records", str(station.records)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        if told.returncode == 0 and "No unit was found" not in told.stdout:
            return told.stdout
        assert time.monotonic() < end, told.stdout + told.stderr
        time.sleep(5)


def label_of(station: Workshop, serial: str) -> str:
    """Print a unit's label and return what is scanned from it."""
    assert station.do("label", *DESK) == 0
    return scanned((station.records / "labels" / f"{serial}.pdf").read_bytes())


def identity_files(folder: Path) -> dict[str, bytes]:
    """Return what a unit is, by the names of the files in a copy of its partition.

    Of the rescue page's codes only the label's is the unit's; the others are its household's.
    """
    names = ("serial", "tier", "flash-id", "device-id", "hostname-suffix", "claim-code.hash")
    keys = ("device.pub", "device.key", "device.tpm")
    files = {name: folder / name for name in (*names, *keys)}
    found = {name: path.read_bytes() for name, path in files.items() if path.is_file()}
    codes = (folder / "rescue/codes").read_bytes().splitlines()
    return {**found, "rescue/codes": b"".join(x for x in codes if x.startswith(b"label:"))}
