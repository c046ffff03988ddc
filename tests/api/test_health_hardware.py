"""What the tier of a shipped box promises: told when the machine has less of it."""

from pathlib import Path

import pytest

from allerac.app.hardware import read_hardware
from allerac.app.health import limits_of
from allerac.settings import Settings
from tests.api.health_box import health_box
from tests.recorded_machine import RecordedMachine, memory_socket
from tests.simulated_box import SimulatedBox

MACHINES = Path(__file__).parents[1] / "unit" / "hardware" / "machines"
FULL, EMPTY = 16384, 0
pytestmark = pytest.mark.timeout(300)


def _machine(folder: Path, processor: str) -> RecordedMachine:
    machine = RecordedMachine(folder / "machine").usual()
    machine.processor(MACHINES / processor)
    return machine


async def test_a_shipped_box_with_one_module_of_memory_is_told_of_the_second(
    tmp_path: Path,
) -> None:
    machine = _machine(tmp_path, "i5-1240p")
    machine.memory_sockets(
        memory_socket("Controller0-ChannelA-DIMM0", megabytes=FULL),
        memory_socket("Controller1-ChannelA-DIMM0", megabytes=EMPTY),
    )
    async with health_box(tmp_path, machine, profile="i5") as box:
        issue = await box.until_issue("single_channel")
    assert issue["words"]["en"]["meaning"].startswith("1 of 2 memory channels are in use.")


async def test_a_shipped_box_with_a_low_power_limit_is_told(tmp_path: Path) -> None:
    machine = _machine(tmp_path, "n100")
    settings = Settings(data_dir=tmp_path, profile="n100", sensors_root=machine.root)
    box = SimulatedBox(machine, limits=limits_of(read_hardware(settings)))
    machine.power(joules=1000.0, limit_watts=15, rated_watts=15)
    await box.live(300)
    assert box.health.status().issues == []
    machine.power(joules=1000.0, limit_watts=6, rated_watts=15)
    await box.live(300)
    (issue,) = box.health.status().issues
    assert issue.words("en").meaning == "It may draw 6 watts; this box is made for 15."


def test_another_machine_is_promised_nothing_by_the_tier_that_was_set_for_it(
    tmp_path: Path,
) -> None:
    machine = _machine(tmp_path, "i7-8700")
    settings = Settings(data_dir=tmp_path, profile="i5", sensors_root=machine.root)
    limits = limits_of(read_hardware(settings))
    assert (limits.memory_channels, limits.power_watts) == (None, None)


def test_a_recorded_tree_without_a_processor_stands_in_for_the_sensors_alone(
    tmp_path: Path,
) -> None:
    machine = RecordedMachine(tmp_path / "machine").usual()
    here = read_hardware(Settings(data_dir=tmp_path)).machine
    seen = read_hardware(Settings(data_dir=tmp_path, sensors_root=machine.root)).machine
    assert (seen.cpu, seen.memory_bytes) == (here.cpu, here.memory_bytes)
