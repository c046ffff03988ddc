"""A station that is killed at any moment goes on where it was, and nothing is done twice."""

import multiprocessing
import os
import random
import sys
import time
from collections.abc import Collection
from multiprocessing.context import ForkProcess
from pathlib import Path

import pytest

from allerac_factory.cli import main
from allerac_factory.contents import look_at
from allerac_factory.ledger import Ledger

from .unit_drive import table_of
from .workshop import QUICK, Workshop

KILLS = 50
UNITS = 3
SEED = 20261121
SECONDS = 300
FORK = multiprocessing.get_context("fork")


def start(workshop: Workshop, job: Path) -> ForkProcess:
    """Start the station as a process of its own; what it says goes to a file.

    It has imported everything already: a kill meets its work.
    """
    station = FORK.Process(
        target=be_the_station, args=(workshop.flash_words(job), workshop.folder / "said")
    )
    station.start()
    return station


def be_the_station(words: list[str], told: Path) -> None:
    """Do what the command does, and end with its status."""
    with told.open("a", buffering=1) as file:
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)
        sys.stdout = sys.stderr = file
        sys.exit(main(words, QUICK))


def status_of(station: ForkProcess, seconds: float = SECONDS) -> int | None:
    """Wait for it so long; return its exit status, None while it works on."""
    station.join(seconds)
    return station.exitcode


def said(workshop: Workshop) -> str:
    """Return the end of what all stations said."""
    return (workshop.folder / "said").read_text()[-2000:]


def batch(workshop: Workshop, number: int) -> Path:
    """Plug in the drives of another batch and return its job."""
    names = [f"B{number}D{unit}" for unit in range(UNITS)]
    for name in names:
        workshop.drive(name)
    targets = [{"port": f"practice-{name}"} for name in names]
    return workshop.job(batch=f"vm-{number}", targets=targets, count=UNITS)


def require_sound(workshop: Workshop, known: Collection[str] = ()) -> None:
    """Fail unless the chain holds and every unit that is said to be ready is, but for the known."""
    ledger = Ledger(workshop.records / "ledger.sqlite")
    try:
        assert list(ledger.problems()) == []
    finally:
        ledger.close()
    wanted = root_of(workshop.image.raw)
    for unit in workshop.units().values():
        if unit.is_finished and unit.serial not in known:
            drive = workshop.drives / f"{unit.drive}.img"
            assert look_at(drive).serial == unit.serial
            assert root_of(drive) == wanted


def root_of(disk: Path) -> bytes:
    """Return the first root of a disk."""
    part = table_of(disk).partition("root-A")
    with disk.open("rb") as file:
        file.seek(part.offset)
        return file.read(part.size)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_station_killed_at_fifty_points_makes_every_unit_once(workshop: Workshop) -> None:
    chance = random.Random(SEED)  # noqa: S311  moments, not secrets
    began = time.monotonic()
    assert status_of(start(workshop, batch(workshop, 0))) == 0, said(workshop)
    longest = time.monotonic() - began
    kills, number, job = 0, 1, batch(workshop, 1)
    identities: dict[str, str] = {}
    sound: set[str] = set()
    while kills < KILLS:
        station = start(workshop, job)
        if (status := status_of(station, chance.uniform(0.0, longest))) is None:
            station.kill()
            station.join(SECONDS)
            kills += 1
        else:
            assert status == 0, said(workshop)
            require_sound(workshop, sound)
            sound |= workshop.units().keys()
            number += 1
            job = batch(workshop, number)
        for unit in workshop.units().values():
            known = unit.facts.get("device_id")
            if known:
                assert identities.setdefault(unit.serial, known) == known
    assert status_of(start(workshop, job)) == 0, said(workshop)
    require_sound(workshop)
    units = workshop.units()
    assert len(units) == (number + 1) * UNITS
    assert all(unit.is_finished for unit in units.values())
    assert len({unit.drive for unit in units.values()}) == len(units)
    serials = {f"ALR-VM-{one:06}" for one in range(1, len(units) + 1)}
    assert set(units) == serials, "no serial is lost"


def test_two_stations_do_not_work_on_the_same_records(workshop: Workshop) -> None:
    workshop.drive("WD1")
    job = workshop.job()
    first = start(workshop, job)
    second = start(workshop, job)
    statuses = [status_of(first), status_of(second)]
    assert 0 in statuses
    assert statuses == [0, 0] or "Somebody else" in said(workshop)
    assert [act.act for act in workshop.acts()].count("begun") == 1
