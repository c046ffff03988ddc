"""What sensors say, read from trees in the kernel's documented form."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from allerac.hardware.sensors import (
    DriveReader,
    Reading,
    Sensors,
    Sysfs,
    read_cpu,
    read_power,
    steady_clock,
)
from allerac.hardware.sensors.drives import drive_of
from tests.recorded_machine import GIB, SMART_NVME, SMART_SATA, MachineTime, RecordedMachine

DATA = Path("/var/lib/allerac")


@pytest.fixture
def machine(tmp_path: Path) -> RecordedMachine:
    return RecordedMachine(tmp_path).usual()


def read(machine: RecordedMachine) -> Reading:
    return Sensors(Sysfs(machine.root), DATA).read()


def test_every_family_of_a_usual_machine_is_read(machine: RecordedMachine) -> None:
    machine.battery(80, "Discharging")
    reading = read(machine)
    assert reading.cpu is not None
    assert reading.cpu.hertz == 2.9e9
    assert reading.cpu.throttled == 0
    assert reading.heat is not None
    assert (reading.heat.celsius, reading.heat.limit) == (48.0, 105.0)
    assert reading.power is not None
    assert (reading.power.limit_watts, reading.power.rated_watts) == (15.0, 15.0)
    assert reading.fan_turns == 1450
    assert reading.memory is not None
    assert reading.memory.available == 9 * GIB
    assert reading.pressure is not None
    assert reading.pressure.memory == 0.0
    assert reading.disk is not None
    assert (reading.disk.total, reading.disk.free) == (240 * GIB, 150 * GIB)
    assert reading.file_system is not None
    assert (reading.file_system.read_only, reading.file_system.errors) == (False, 0)
    assert [drive.worn_percent for drive in reading.drives] == [3.0]
    assert [(link.name, link.up, link.megabits) for link in reading.links] == [
        ("enp1s0", True, 1000)
    ]
    assert reading.battery is not None
    assert (reading.battery.percent, reading.battery.discharging) == (80, True)
    assert reading.clock_synchronised is True


def test_a_fan_that_stands_is_none_that_is_absent(machine: RecordedMachine) -> None:
    machine.card_fan(0)
    assert read(machine).fan_turns == 1450
    machine.fan(0)
    machine.card_fan(2100)
    assert read(machine).fan_turns == 0
    machine.remove("sys/class/hwmon/hwmon3")
    assert read(machine).fan_turns is None


def test_a_machine_without_sensors_has_none(tmp_path: Path) -> None:
    assert Sensors(Sysfs(tmp_path), tmp_path / "nowhere").read() == Reading()


@pytest.mark.parametrize(
    "text", ["", "nonsense", "0xZZ", "cpu a b c d e f", "\x00\xff", "12 monkeys"]
)
def test_files_full_of_nonsense_are_absent_sensors(machine: RecordedMachine, text: str) -> None:
    for file in [path for path in machine.root.rglob("*") if path.is_file()]:
        if "nvme0n1.json" not in file.name and file.name != "stat" and file.name != "space":
            file.write_text(text)
    reading = read(machine)
    assert reading.heat is None
    assert reading.memory is None
    assert reading.battery is None
    assert reading.fan_turns is None


def test_load_is_the_share_of_busy_time_between_two_readings(machine: RecordedMachine) -> None:
    before = read_cpu(Sysfs(machine.root))
    machine.work(busy=1300, idle=99100)
    now = read_cpu(Sysfs(machine.root))
    assert now is not None
    assert now.load_since(before) == pytest.approx(75.0)
    assert now.load_since(now) is None
    assert now.load_since(None) is None


def test_power_is_energy_over_time_also_when_the_counter_begins_anew(
    machine: RecordedMachine,
) -> None:
    before = read_power(Sysfs(machine.root))
    machine.power(joules=1120.0, limit_watts=15.0, rated_watts=15.0)
    later = read_power(Sysfs(machine.root))
    assert later is not None
    assert later.watts_since(before, 10.0) == pytest.approx(12.0)
    machine.power(joules=100.0, limit_watts=15.0, rated_watts=15.0)
    wrapped = read_power(Sysfs(machine.root))
    assert wrapped is not None
    assert wrapped.watts_since(later, 10.0) == pytest.approx((262_143.0 - 1120.0 + 100.0) / 10.0)


def test_a_sensor_that_is_not_wired_is_no_temperature(machine: RecordedMachine) -> None:
    for celsius in (0.0, -55.0, 255.5):
        machine.heat(celsius)
        assert read(machine).heat is None


def test_thermal_zones_stand_in_where_no_chip_is_known(machine: RecordedMachine) -> None:
    machine.remove("sys/class/hwmon/hwmon2")
    machine.write("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp")
    machine.write("sys/class/thermal/thermal_zone0/temp", 61000)
    machine.write("sys/class/thermal/thermal_zone1/type", "iwlwifi_1")
    machine.write("sys/class/thermal/thermal_zone1/temp", 90000)
    heat = read(machine).heat
    assert heat is not None
    assert (heat.celsius, heat.limit) == (61.0, 100.0)


def test_an_emmc_tells_the_worse_of_its_two_estimates(machine: RecordedMachine) -> None:
    machine.emmc(life="0x02 0x0a", reserve="0x03")
    emmc = read(machine).drives[-1]
    assert (emmc.kind, emmc.worn_percent, emmc.failing) == ("emmc", 100.0, True)


def test_smart_of_sata_and_nvme_is_understood() -> None:
    sata, nvme = drive_of("sda", SMART_SATA), drive_of("nvme0n1", SMART_NVME)
    assert sata is not None
    assert (sata.kind, sata.worn_percent, sata.bad_blocks, sata.failing) == ("sata", 3.0, 0, False)
    assert nvme is not None
    assert (nvme.kind, nvme.worn_percent, nvme.spare_percent, nvme.celsius) == (
        "nvme",
        3.0,
        100.0,
        41,
    )


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"smart_status": "yes"},
        {"smart_status": {"passed": None}},
        {"ata_smart_attributes": {"table": "none"}},
        {"nvme_smart_health_information_log": [1, 2]},
    ],
)
def test_an_answer_without_health_says_nothing_of_the_drive(answer: dict[str, object]) -> None:
    assert drive_of("sda", answer) is None


def test_odd_values_in_an_answer_are_left_out() -> None:
    odd = {"smart_status": {"passed": True}, "ata_smart_attributes": {"table": [7, {"id": "x"}]}}
    drive = drive_of("sda", odd)
    assert drive is not None
    assert (drive.worn_percent, drive.bad_blocks) == (None, 0)


def _program(folder: Path, text: str) -> tuple[str, ...]:
    program = folder / "smartctl"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o700)
    return (str(program),)


async def test_a_drive_that_hangs_is_left_alone_and_the_next_is_asked(tmp_path: Path) -> None:
    hang = '[ "$1" = /dev/sda ] && exec sleep 60\n'
    say = 'echo \'{"smart_status": {"passed": true}}\''
    reader = DriveReader(Sysfs(tmp_path), ask=_program(tmp_path, hang + say), timeout_seconds=0.3)
    began = time.monotonic()
    await reader.ask_all(["sda", "sdb"])
    assert time.monotonic() - began < 20
    assert [drive.name for drive in reader.drives] == ["sdb"]


async def test_what_a_drive_said_before_stands_while_it_hangs(tmp_path: Path) -> None:
    mark = tmp_path / "asked"
    say = 'echo \'{"smart_status": {"passed": false}}\''
    text = f"[ -e {mark} ] && exec sleep 60\ntouch {mark}\n{say}"
    reader = DriveReader(Sysfs(tmp_path), ask=_program(tmp_path, text), timeout_seconds=2.0)
    await reader.ask_all(["sda"])
    await asyncio.wait_for(reader.ask_all(["sda"]), 30)
    assert [drive.failing for drive in reader.drives] == [True]


def test_answers_that_units_keep_are_absent_once_they_are_old(machine: RecordedMachine) -> None:
    (file,) = machine.root.glob("run/allerac-smart/*.json")
    reader = DriveReader(Sysfs(machine.root), stale_seconds=3600)
    assert [drive.name for drive in reader.drives] == ["nvme0n1"]
    for hours in (-2, 2, 50 * 365 * 24):  # a clock may have been set either way
        written = time.time() - hours * 3600
        os.utime(file, (written, written))
        assert reader.drives == []
    assert [drive.name for drive in DriveReader(Sysfs(machine.root)).drives] == ["nvme0n1"]


def test_an_answer_in_the_making_is_not_read(machine: RecordedMachine) -> None:
    machine.write("run/allerac-smart/sda.json.new", '{"smart_status": {"passed": false}')
    assert [drive.name for drive in read(machine).drives] == ["nvme0n1"]


async def test_a_machine_without_smartctl_has_no_drives_to_tell_of(tmp_path: Path) -> None:
    reader = DriveReader(Sysfs(tmp_path), ask=(str(tmp_path / "missing"),))
    await reader.ask_all(["sda"])
    reader.refresh()
    await reader.stop()
    assert reader.drives == []


def test_a_recorded_machine_lives_in_its_own_time_which_never_runs_backwards(
    machine: RecordedMachine,
) -> None:
    time_of_machine = MachineTime(machine, seconds=100.0)
    now = steady_clock(Sysfs(machine.root))
    assert now() == 100.0
    time_of_machine.skip(3600)
    assert now() == 3700.0
    for text in ("", "soon", "12.00 12.00"):
        machine.write("proc/uptime", text)
        assert now() == 3700.0


def test_time_is_that_of_the_machine_where_nothing_else_is_recorded(
    machine: RecordedMachine,
) -> None:
    assert steady_clock(Sysfs(machine.root)) is time.monotonic
    assert steady_clock(Sysfs()) is time.monotonic
