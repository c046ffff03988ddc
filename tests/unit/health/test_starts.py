"""What a restart of the runtime does not forget: its own new starts, and a clock that was set."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from allerac.app.health_starts import Starts
from allerac.storage.device_history import DeviceHistory

MINUTE, HOUR, YEAR = 60.0, 3600.0, 365 * 86400.0


@dataclass(slots=True)
class Machine:
    """Its clocks, and the diary that its runtimes keep one after the other."""

    folder: Path
    boot: str | None = "first"
    steady: float = 20.0
    wall: float = 1_800_000_000.0

    def pass_by(self, seconds: float) -> None:
        self.steady += seconds
        self.wall += seconds

    async def start(self) -> Starts:
        """Start the runtime; the one before it is gone."""
        diary = DeviceHistory(self.folder / "health.sqlite")
        starts = Starts(diary, self.boot, wall=lambda: self.wall, steady=lambda: self.steady)
        await starts.recall()
        diary.close()
        return starts


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("years", [5, -10])
async def test_a_clock_that_was_set_is_known_after_a_restart_and_once_it_is_right_again(
    machine: Machine, years: int
) -> None:
    assert (await machine.start()).clock_moved == timedelta()
    machine.wall += years * YEAR
    machine.pass_by(HOUR)
    for _ in range(2):
        assert (await machine.start()).clock_moved == timedelta(days=365 * years)
        machine.pass_by(3 * HOUR)
    machine.wall -= years * YEAR
    assert (await machine.start()).clock_moved == timedelta()


async def test_a_clock_that_is_steered_was_not_set(machine: Machine) -> None:
    await machine.start()
    machine.wall += 20
    assert (await machine.start()).clock_moved == timedelta()


async def test_new_starts_are_counted_for_an_hour(machine: Machine) -> None:
    machine.pass_by(30 * 24 * HOUR)
    starts = await machine.start()
    assert starts.in_the_last_hour() == 0
    for number in range(1, 7):
        machine.pass_by(5 * MINUTE)
        starts = await machine.start()
        assert starts.in_the_last_hour() == number
    machine.pass_by(52 * MINUTE)
    assert starts.in_the_last_hour() == 2
    machine.pass_by(15 * MINUTE)
    assert starts.in_the_last_hour() == 0
    assert (await machine.start()).in_the_last_hour() == 1


def switched_on(machine: Machine) -> None:
    machine.boot, machine.steady = "second", 20.0


def nameless(machine: Machine) -> None:
    machine.boot = None


@pytest.mark.parametrize("change", [switched_on, nameless])
async def test_what_was_before_the_machines_own_start_says_nothing(
    machine: Machine, change: Callable[[Machine], None]
) -> None:
    for _ in range(3):
        await machine.start()
        machine.pass_by(MINUTE)
    machine.wall += YEAR
    change(machine)
    starts = await machine.start()
    assert (starts.in_the_last_hour(), starts.clock_moved) == (0, timedelta())


async def test_a_box_starts_where_its_diary_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "health.sqlite").mkdir()
    starts = await Machine(tmp_path).start()
    assert (starts.in_the_last_hour(), starts.clock_moved) == (0, timedelta())
