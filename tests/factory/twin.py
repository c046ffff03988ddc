"""The factory's twin: a whole batch from image to labels, on files that behave like drives.

`python -m tests.factory.twin [--image DIR --trust KEYRING]` prints its table; by default the image
is a small one that is made for it. Eight drives are written at the same time: one is pulled, one
has bad sectors, one is too small, one shall become a serial that was given before, one holds a
claimed Allerac. The good ones start: the runtime's own burn-in runs with their identity, one of
them in a machine that is not of their tier, one with a TPM. Good labels are printed, scanned from
their picture and released, and the box is claimed by what was scanned.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from allerac_factory.history import RELEASED, UnitHistory
from allerac_factory.image_set import open_image
from allerac_factory.label import Label
from allerac_factory.table import columns
from tests.api.conftest import claim
from tests.recorded_machine import RecordedMachine
from tests.software_tpm import software_tpm

from .label_scanner import scanned
from .small_image import SmallImage, make_small_image
from .started_unit import started_unit
from .unit_drive import leave_claimed, partition_of
from .unit_start import DESK
from .workshop import DRIVE_BYTES, Workshop

SECONDS = 300
GOOD, OTHER_TIER = ("D1", "D2"), "D3"
WITH_TPM = "D1"
NEVER_WRITTEN = ("D6", "D7", "D8")
MACHINE: Mapping[str, Any] = {
    "cpu": "Twin's processor",
    "cores_performance": 2,
    "cores_efficient": 0,
    "threads": 2,
    "memory_bytes": 4_000_000_000,
    "memory_channels": None,
    "flags": [],
    "virtual": True,
    "disk_free_bytes": 10_000_000_000,
}
"""One of the tier `vm`, wherever the twin runs."""

GIVEN_BEFORE = "ALR-VM-000001"
DRIVES: Mapping[str, str] = {
    "D1": "good",
    "D2": "good",
    "D3": "good, in a machine of another tier",
    "D4": "pulled while it is written",
    "D5": "bad sectors",
    "D6": "too small",
    "D7": "shall become a serial that was given",
    "D8": "holds a claimed Allerac",
}
EXPECTED: Mapping[str, str] = {
    **dict.fromkeys(GOOD, "released"),
    OTHER_TIER: "burn-in failed: tier",
    "D4": "failed: drive gone",
    "D5": "failed: drive error",
    "D6": "refused: too small",
    "D7": "refused: the serial ALR-VM-000001 was given to another unit",
    "D8": "refused: holds a claimed Allerac, ALR-OLD-000001",
}
"""How what becomes of a drive must begin."""

ON_THE_UNIT = """\
import asyncio, json, sys
from pathlib import Path
from allerac.app.burn_in import run_burn_in
from allerac.burn_in.hand_over import put
from allerac.hardware.machine import Machine
from allerac.settings import Settings
settings, machine = Settings(), Machine(**json.loads(sys.argv[1]))
asyncio.run(run_burn_in(settings, print, 1.0, 32, 32, machine))
put(Path(sys.argv[2]), sys.argv[3], settings.offered_certificate.read_bytes())
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one drive."""

    drive: str
    given: str
    serial: str
    outcome: str
    has_label: bool
    is_claimed: bool


class Twin:
    """One batch in `folder`."""

    def __init__(self, folder: Path, image: SmallImage, drive_bytes: int = DRIVE_BYTES) -> None:
        self.workshop = Workshop(folder, image)
        self.folder = folder
        self._drive_bytes = drive_bytes
        self._scanned: dict[str, str] = {}
        self.prepared_at: dict[str, int] = {}
        self.rows: list[Row] = []

    def run(self) -> list[Row]:
        """Do all of it and return what became of each drive."""
        self._prepare()
        self._flash()
        for unit in self._of_the_batch().values():
            if unit.is_finished:
                self.start(unit)
        self._label_and_release()
        claimed = {s: asyncio.run(self.claim(s, text)) for s, text in self._scanned.items()}
        self.rows = [self._row(name, claimed) for name in DRIVES]
        return self.rows

    def _prepare(self) -> None:
        """Give a serial away, and have one drive come from a customer."""
        shop = self.workshop
        shop.drive("D0", self._drive_bytes)
        assert shop.flash(batch="earlier", burn_in=False) == 0
        elsewhere = Workshop(self.folder / "elsewhere", shop.image)
        customer = elsewhere.drive("D8", self._drive_bytes)
        scheme = {"form": "ALR-OLD-{number:06}"}
        assert elsewhere.flash(batch="old", serials=scheme, burn_in=False) == 0
        leave_claimed(customer, self.folder, owner=True)
        for name in DRIVES:
            shop.drive(name, self._drive_bytes)
        customer.replace(shop.drives / "D8.img")
        blocks = open_image(shop.image.folder, "vm", shop.image.trust).blocks
        size = self._drive_bytes
        shop.drive("D4", size, faults={"pulled_after": blocks.mapped_bytes // 3})
        shop.drive("D5", size, faults={"bad_block": blocks.spans[len(blocks.spans) // 2].offset})
        shop.drive("D6", blocks.image_bytes // 2)
        self.prepared_at = {name: self.last_write_to(name) for name in NEVER_WRITTEN}

    def last_write_to(self, name: str) -> int:
        """Return when a drive was written last, in nanoseconds."""
        return (self.workshop.drives / f"{name}.img").stat().st_mtime_ns

    def _flash(self) -> None:
        targets = [{"port": f"practice-{name}"} for name in DRIVES]
        targets[6]["unit"] = GIVEN_BEFORE
        assert self.workshop.flash(targets=targets, count=len(targets)) == 1

    def start(self, unit: UnitHistory) -> None:
        """Start a unit for the first time: the runtime's burn-in with what is on its drive."""
        home = self.folder / f"unit-{unit.drive}"
        home.mkdir()
        drive = self.workshop.drives / f"{unit.drive}.img"
        identity = partition_of(drive, home / "identity")
        usb = home / "usb" / "allerac-certificates"
        usb.mkdir(parents=True)
        sensors = RecordedMachine(home / "machine").usual()
        sensors.write("sys/block/vda/removable", 0)
        sensors.write("sys/class/net/enp1s0/address", "7c:83:34:aa:bb:01")
        environment = {
            **os.environ,
            "ALLERAC_IDENTITY_DIR": str(identity),
            "ALLERAC_DATA_DIR": str(home / "data"),
            "ALLERAC_OFFERED_CERTIFICATE": str(home / "birth-certificate.json"),
            "ALLERAC_PROFILE": "vm",
            "ALLERAC_SENSORS_ROOT": str(sensors.root),
        }
        machine = {**MACHINE, "virtual": unit.drive != OTHER_TIER}
        with ExitStack() as stack:
            if unit.drive == WITH_TPM:
                sensors.write("sys/class/tpm/tpm0/tpm_version_major", 2)
                environment["ALLERAC_TPM"] = stack.enter_context(software_tpm(home / "tpm"))
            subprocess.run(
                [sys.executable, "-c", ON_THE_UNIT, json.dumps(machine), usb.parent, unit.serial],
                env=environment,
                check=False,
                timeout=SECONDS,
            )
        assert self.workshop.do("collect", str(usb), *DESK) == 0

    def _label_and_release(self) -> None:
        assert self.workshop.do("label", *DESK) == 0
        labels = self.workshop.records / "labels"
        self._scanned = {pdf.stem: scanned(pdf.read_bytes()) for pdf in labels.glob("ALR*.pdf")}
        for text in self._scanned.values():
            assert self.workshop.do("scan", text, *DESK) == 0

    async def claim(self, serial: str, text: str) -> bool:
        """Be the customer: start the box with its identity and type what is on its label."""
        unit = self.workshop.units()[serial]
        identity = partition_of(
            self.workshop.drives / f"{unit.drive}.img", self.folder / f"sold-{unit.drive}"
        )
        async with started_unit(self.folder / f"home-{unit.drive}", identity) as browser:
            await claim(browser, Label.code_in(text))
            told = (await browser.get("/api/v1/box")).json()
        return bool(told["serial"] == serial)

    def _of_the_batch(self) -> dict[str, UnitHistory]:
        units = self.workshop.units().values()
        return {unit.drive: unit for unit in units if unit.drive in DRIVES}

    def _row(self, name: str, claimed: Mapping[str, bool]) -> Row:
        unit = self._of_the_batch().get(name)
        if unit is None:
            reasons = [
                "; ".join(act.observed["reasons"])
                for act in self.workshop.acts()
                if act.act == "refused" and act.observed["drive"] == name
            ]
            return Row(name, DRIVES[name], "", f"refused: {reasons[-1]}", False, False)
        outcome = unit.stage
        if unit.has_passed is False:
            outcome = f"burn-in failed: {', '.join(unit.facts['failures'])}"
        elif not unit.is_finished and RELEASED not in unit.acts:
            outcome = f"failed: {unit.facts['cause']}"
        has_label = unit.serial in self._scanned
        return Row(
            name, DRIVES[name], unit.serial, outcome, has_label, claimed.get(unit.serial, False)
        )


def table(rows: list[Row]) -> list[str]:
    """Return the rows as a table."""
    head = ("DRIVE", "WHAT IT IS", "UNIT", "WHAT BECAME OF IT", "LABEL", "CLAIMED BY IT")
    lines = [
        (
            *(row.drive, row.given, row.serial, row.outcome),
            *("yes" if row.has_label else "", "yes" if row.is_claimed else ""),
        )
        for row in rows
    ]
    return columns([head, *lines])


def surprises(rows: list[Row]) -> list[str]:
    """Return what became otherwise of a drive than it must."""
    became = {row.drive: row for row in rows}
    found = [f"{name} is missing." for name in EXPECTED if name not in became]
    for name, row in became.items():
        is_good = name in GOOD
        if not row.outcome.startswith(EXPECTED[name]):
            found.append(f"{name}: {row.outcome!r} instead of {EXPECTED[name]!r}.")
        if row.has_label != is_good or row.is_claimed != is_good:
            found.append(f"{name}: its label is wrong.")
    return found


def report(twin: Twin, out: TextIO) -> int:
    """Run a twin and write its table; return 1 when anything became otherwise than it must."""
    rows = twin.run()
    found = surprises(rows)
    out.write("\n".join(["", *table(rows), "", *found]) + "\n")
    return 1 if found else twin.workshop.do("verify")


def main() -> int:
    """Run the twin and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", type=Path, help="a signed image of the tier vm")
    parser.add_argument("--raw", type=Path, help="the same image unpacked")
    parser.add_argument("--trust", type=Path, help="whose signatures are believed")
    parser.add_argument("--out", type=Path, help="keep everything here")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="allerac-twin-") as name:
        folder = options.out or Path(name)
        if options.image:
            raw = options.raw or next(options.image.glob("*.img"))
            trust = options.trust
            image = SmallImage(options.image, trust, trust, trust, raw)
        else:
            image = make_small_image(folder / "image")
        return report(Twin(folder, image), sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
