"""Machines as their systems show them, and the profile each gets.

The trees in `machines/` hold what a system of that kind shows, reduced to the fields that are read.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from allerac.hardware.choice import choose_profile, is_made_as, threads_for
from allerac.hardware.machine import Machine, detect_machine, disk_free_bytes
from allerac.hardware.profile import Profiles, load_profiles
from tests.recorded_machine import RecordedMachine, memory_socket

MACHINES = Path(__file__).parent / "machines"
GB = 1_000_000_000


@pytest.fixture(scope="module")
def profiles() -> Profiles:
    return load_profiles(Path(__file__).parents[3] / "hardware_profiles")


def recorded(name: str) -> Machine:
    return detect_machine(MACHINES / name)


@pytest.mark.parametrize(
    ("name", "performance", "efficient", "threads", "virtual"),
    [
        ("n100", 0, 4, 4, False),
        ("i5-1240p", 4, 8, 16, False),
        ("i7-12700h", 6, 8, 20, False),
        ("i7-8700", 6, 0, 12, False),
        ("vm-2gb", 1, 0, 1, True),
        ("epyc-vm", 2, 0, 2, True),
    ],
)
def test_cores_are_counted_by_kind(
    name: str, performance: int, efficient: int, threads: int, virtual: bool
) -> None:
    machine = recorded(name)
    assert (machine.cores_performance, machine.cores_efficient) == (performance, efficient)
    assert (machine.threads, machine.virtual) == (threads, virtual)


def test_flags_name_what_the_engine_build_needs() -> None:
    assert recorded("n100").flags == {"avx2", "avx_vnni"}
    assert recorded("epyc-vm").flags == {"avx2"}


@pytest.mark.parametrize(
    ("name", "tier", "exact"),
    [
        ("n100", "n100", True),
        ("i5-1240p", "i5", True),
        ("i7-12700h", "i7", True),
        ("vm-2gb", "vm", True),
        ("epyc-vm", "vm", True),
        ("i7-8700", "i7", False),
    ],
)
def test_each_machine_gets_its_profile(
    profiles: Profiles, name: str, tier: str, exact: bool
) -> None:
    choice = choose_profile(recorded(name), profiles)
    assert (choice.profile.id, choice.exact) == (tier, exact)


def test_nearest_profile_says_what_differs(profiles: Profiles) -> None:
    choice = choose_profile(recorded("i7-8700"), profiles)
    assert "nearest" in choice.reason
    assert "i7-8700" in choice.reason
    assert "no avx-vnni" in choice.reason


def test_one_memory_module_in_an_i5_is_not_exact(profiles: Profiles) -> None:
    machine = replace(recorded("i5-1240p"), memory_channels=1)
    choice = choose_profile(machine, profiles)
    assert (choice.profile.id, choice.exact) == ("i5", False)
    assert "1 memory channel" in choice.reason


@pytest.mark.parametrize(
    ("name", "tier", "made"),
    [("i5-1240p", "i5", True), ("i5-1240p", "n100", False), ("i7-8700", "i7", False)],
)
def test_a_tier_promises_something_to_its_own_processors_alone(
    profiles: Profiles, name: str, tier: str, made: bool
) -> None:
    assert is_made_as(recorded(name), profiles.by_id[tier]) is made


def test_a_machine_stays_one_of_its_tier_with_a_module_of_memory_missing(
    profiles: Profiles,
) -> None:
    machine = replace(recorded("i5-1240p"), memory_channels=1, memory_bytes=16 * GB)
    assert is_made_as(machine, profiles.by_id["i5"])


def test_n100_with_half_the_memory_is_nearest_to_what_it_can_hold(profiles: Profiles) -> None:
    choice = choose_profile(replace(recorded("n100"), memory_bytes=8 * GB), profiles)
    assert choice.profile.id == "vm"
    assert not choice.exact


def test_i5_with_sixteen_gb_does_not_get_a_budget_it_cannot_hold(profiles: Profiles) -> None:
    choice = choose_profile(replace(recorded("i5-1240p"), memory_bytes=16 * GB), profiles)
    assert choice.profile.id == "n100"


def test_machine_smaller_than_every_tier_still_gets_one(profiles: Profiles) -> None:
    choice = choose_profile(replace(recorded("vm-2gb"), memory_bytes=GB // 2), profiles)
    assert (choice.profile.id, choice.exact) == ("vm", False)


def test_channels_are_counted_from_populated_sockets(tmp_path: Path) -> None:
    devices = [
        memory_socket("Controller0-ChannelA-DIMM0", megabytes=16384),
        memory_socket("Controller0-ChannelA-DIMM1", megabytes=16384),
        memory_socket("Controller1-ChannelA-DIMM0", megabytes=16384),
        memory_socket("Controller1-ChannelB-DIMM0", megabytes=0),
    ]
    RecordedMachine(tmp_path).memory_sockets(*devices)
    assert detect_machine(tmp_path).memory_channels == 2


@pytest.mark.parametrize("raw", [b"", b"\x11", bytes(40), b"\x11\xff" + b"\x01" * 30])
def test_broken_firmware_tables_do_not_raise(tmp_path: Path, raw: bytes) -> None:
    RecordedMachine(tmp_path).memory_sockets(raw)
    assert detect_machine(tmp_path).memory_channels in (None, 1)


def test_unreadable_tree_falls_back_to_the_running_system(tmp_path: Path) -> None:
    machine = detect_machine(tmp_path)
    assert machine.cores >= 1
    assert machine.memory_bytes > 0
    assert machine.memory_channels is None


def test_damaged_cpu_list_is_ignored(tmp_path: Path) -> None:
    atom = tmp_path / "sys/devices/cpu_atom/cpus"
    atom.parent.mkdir(parents=True)
    atom.write_text("8-banana\n", "utf-8")
    assert detect_machine(tmp_path).cores_efficient == 0


def test_threads_follow_the_cores_found(profiles: Profiles) -> None:
    i5 = recorded("i5-1240p")
    engine = profiles.by_id["i5"].engine
    assert threads_for(i5, engine.decode_threads) == 4
    assert threads_for(i5, engine.prefill_threads) == 12
    assert threads_for(recorded("n100"), "performance_cores") == 4
    assert threads_for(recorded("vm-2gb"), 64) == 1


def test_free_disk_space_is_told_for_a_folder_yet_to_be_made(tmp_path: Path) -> None:
    assert disk_free_bytes(tmp_path / "not" / "yet") > 0
