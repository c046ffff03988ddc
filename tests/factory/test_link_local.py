"""A unit and the station on one cable, each a process in a network namespace of its own."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from allerac.burn_in import offer
from tests.network.conftest import Lan, Machine
from tests.running_box import RunningBox, start_box

from .small_image import SmallImage
from .unit_drive import partition_of
from .unit_start import DESK, Document, certificate_of
from .workshop import Workshop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SERIAL, OTHER = "ALR-VM-000001", "ALR-VM-000002"
PATIENCE_SECONDS = 240.0
EVERYWHERE = {4: "0.0.0.0", 6: "::"}  # noqa: S104  # inside of the namespace


@pytest.fixture(scope="module")
def flashed(tmp_path_factory: pytest.TempPathFactory, small_image: SmallImage) -> Workshop:
    """A station that has written two drives."""
    workshop = Workshop(tmp_path_factory.mktemp("station"), small_image)
    for name in ("WD1", "WD2"):
        workshop.drive(name)
    assert workshop.flash() == 0
    return workshop


@pytest.fixture
def batch(flashed: Workshop, tmp_path: Path) -> Workshop:
    """The same station, with records of its own."""
    workshop = Workshop(tmp_path / "station", flashed.image)
    shutil.copytree(flashed.records, workshop.records)
    workshop.drives.symlink_to(flashed.drives)
    return workshop


def in_namespace(machine: Machine) -> list[str]:
    return ["ip", "netns", "exec", machine.namespace]


@contextmanager
def started(
    batch: Workshop, machine: Machine, document: Document | None, version: int = 4
) -> Iterator[RunningBox]:
    """Start the runtime of the first unit on `machine`; it offers `document`."""
    home = batch.folder / "unit"
    home.mkdir()
    identity = partition_of(batch.drives / "WD1.img", home / "identity")
    offered = home / "offered.json"
    if document is not None:
        assert offer(document, offered)
    unit = start_box(
        home / "data",
        within=in_namespace(machine),
        host=EVERYWHERE[version],
        announce="true",
        identity_dir=str(identity),
        offered_certificate=str(offered),
    )
    try:
        yield unit
    finally:
        unit.kill()


def collect(batch: Workshop, station: Machine, *words: str) -> "subprocess.CompletedProcess[str]":
    """Collect at the station, as a person types it."""
    return subprocess.run(
        [
            *(*in_namespace(station), sys.executable, "-m", "allerac_factory", "collect"),
            *(*words, *DESK, "--records", str(batch.records)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def found(batch: Workshop, station: Machine) -> "subprocess.CompletedProcess[str]":
    """Collect from the network, again and again until a unit was found."""
    end = time.monotonic() + PATIENCE_SECONDS
    while "No unit was found" in (told := collect(batch, station, "--network")).stdout:
        assert time.monotonic() < end, "the unit was never found"
    return told


def test_station_collects_from_a_unit_that_it_finds_on_a_link_local_network(
    batch: Workshop, lan: Lan
) -> None:
    unit, station = lan.machine("box"), lan.machine("listener")
    unit.move("169.254.7.1")
    station.move("169.254.7.2")
    with started(batch, unit, certificate_of(batch, SERIAL)):
        told = found(batch, station)
        assert (told.returncode, told.stdout) == (0, f"{SERIAL}: passed\n"), told.stderr
        again = found(batch, station)
        assert again.stdout == f"{SERIAL}: known already\n", again.stderr
    (act,) = [act for act in batch.acts() if act.act == "burned-in"]
    assert (act.unit, act.operator, act.station) == (SERIAL, "Ben", "desk-2")


def test_station_collects_where_there_is_nothing_but_ipv6(batch: Workshop, lan: Lan) -> None:
    unit = lan.machine("box", ipv4=False, ipv6=True)
    station = lan.machine("listener", ipv4=False, ipv6=True)
    with started(batch, unit, certificate_of(batch, SERIAL), version=6) as process:
        told = found(batch, station)
        assert (told.returncode, told.stdout) == (0, f"{SERIAL}: passed\n"), told.stderr
        port = process.url.rpartition(":")[2].strip("/")
        address = f"[{unit.link_local()}%{station.legs[0]}]:{port}"
        asked = collect(batch, station, "--address", address)
        assert asked.stdout == f"{SERIAL}: known already\n", asked.stderr


def test_station_refuses_what_the_unit_that_it_found_did_not_sign(
    batch: Workshop, lan: Lan
) -> None:
    unit, station = lan.machine("box"), lan.machine("listener")
    failed = certificate_of(batch, SERIAL, "memory")
    body = {**failed["certificate"], "passed": True, "checks": []}
    with started(batch, unit, {**failed, "certificate": body}):
        told = found(batch, station)
        assert (told.returncode, told.stdout) == (1, "")
        assert f"not signed by {SERIAL}" in told.stderr
        offered = batch.folder / "unit/offered.json"
        assert offer(certificate_of(batch, OTHER), offered)
        told = found(batch, station)
        assert f"{SERIAL} answered with the certificate of {OTHER}" in told.stderr
        offered.unlink()
        told = found(batch, station)
        assert (told.returncode, "offers no certificate" in told.stderr) == (1, True)
    assert not [act for act in batch.acts() if act.act == "burned-in"]


def test_station_leaves_units_of_other_ledgers_alone(
    batch: Workshop, lan: Lan, tmp_path: Path
) -> None:
    unit, station = lan.machine("box"), lan.machine("listener")
    elsewhere = Workshop(tmp_path / "elsewhere", batch.image)
    elsewhere.drive("WD9")
    assert elsewhere.flash() == 0
    with started(batch, unit, certificate_of(batch, SERIAL)):
        told = found(elsewhere, station)
    assert (told.returncode, told.stderr) == (0, "")
    assert "not of this ledger" in told.stdout
