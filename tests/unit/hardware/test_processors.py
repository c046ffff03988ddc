"""The engine keeps to one processor of each core that the profile names."""

from pathlib import Path

import pytest

from allerac.hardware.processors import Pinning, Placement, placement_for


def machine(root: Path, cores: list[str], performance: str = "") -> Path:
    """A machine whose cores have these processors; two kinds of core where `performance` is."""
    for core in cores:
        for number in core.split(","):
            folder = root / f"sys/devices/system/cpu/cpu{number}/topology"
            folder.mkdir(parents=True)
            (folder / "thread_siblings_list").write_text(core + "\n")
    if performance:
        (root / "sys/devices/cpu_core").mkdir(parents=True)
        (root / "sys/devices/cpu_core/cpus").write_text(performance + "\n")
    return root


@pytest.mark.parametrize(
    ("pinning", "decode", "prefill", "placement"),
    [
        ("none", 2, 2, Placement()),
        ("performance_cores", 2, 2, Placement((0, 2))),
        ("performance_cores", 2, 4, Placement((0, 2, 4, 5), in_order=True)),
        ("performance_cores", 4, 4, Placement((0, 2, 4, 5))),
        ("performance_cores", 2, 5, Placement()),
        ("all_cores", 2, 2, Placement((0, 2, 4, 5))),
        ("all_cores", 5, 2, Placement()),
    ],
)
def test_cores_of_two_kinds(
    tmp_path: Path, pinning: Pinning, decode: int, prefill: int, placement: Placement
) -> None:
    root = machine(tmp_path, ["0,1", "2,3", "4", "5"], performance="0-3")
    assert placement_for(pinning, decode=decode, prefill=prefill, root=root) == placement


def test_performance_cores_come_first_whatever_their_numbers(tmp_path: Path) -> None:
    root = machine(tmp_path, ["0", "1", "2,3", "4,5"], performance="2-5")
    placement = placement_for("performance_cores", decode=2, prefill=4, root=root)
    assert placement == Placement((2, 4, 0, 1), in_order=True)


def test_cores_of_one_kind_are_all_performance_cores(tmp_path: Path) -> None:
    root = machine(tmp_path, ["0", "1", "2", "3"])
    placement = placement_for("performance_cores", decode=4, prefill=4, root=root)
    assert placement == Placement((0, 1, 2, 3))


def test_machine_that_tells_nothing_is_not_pinned(tmp_path: Path) -> None:
    assert placement_for("all_cores", decode=1, prefill=1, root=tmp_path) == Placement()
