"""The engine keeps to one processor of each core that the profile names."""

from pathlib import Path

import pytest

from allerac.hardware.processors import Pinning, processors_for


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
    ("pinning", "threads", "processors"),
    [
        ("none", 2, ()),
        ("performance_cores", 2, (0, 2)),
        ("performance_cores", 4, (0, 2, 4, 5)),
        ("all_cores", 2, (0, 2, 4, 5)),
        ("all_cores", 5, ()),
    ],
)
def test_cores_of_two_kinds(
    tmp_path: Path, pinning: Pinning, threads: int, processors: tuple[int, ...]
) -> None:
    root = machine(tmp_path, ["0,1", "2,3", "4", "5"], performance="0-3")
    assert processors_for(pinning, threads=threads, root=root) == processors


def test_cores_of_one_kind_are_all_performance_cores(tmp_path: Path) -> None:
    root = machine(tmp_path, ["0", "1", "2", "3"])
    assert processors_for("performance_cores", threads=4, root=root) == (0, 1, 2, 3)


def test_machine_that_tells_nothing_is_not_pinned(tmp_path: Path) -> None:
    assert processors_for("all_cores", threads=1, root=tmp_path) == ()
