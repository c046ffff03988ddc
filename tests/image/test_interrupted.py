"""What is left of a build that ends early, and of the one before it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from allerac_image.build import alone, clear, put_in_place
from allerac_image.errors import BadInput
from allerac_image.plan import IMAGE
from tests.image.plans import plan_below

POLL_SECONDS = 0.05
DEADLINE_SECONDS = 20


def test_two_builds_do_not_share_a_work_folder(tmp_path: Path) -> None:
    work = tmp_path / "vm"
    with alone(work), pytest.raises(BadInput, match="Another build is at work"), alone(work):
        pass


def test_a_finished_build_takes_the_place_of_the_one_before_as_a_whole(tmp_path: Path) -> None:
    plan = plan_below(tmp_path)
    for folder, name in ((plan.out, "before"), (plan.staging, "after")):
        folder.mkdir()
        (folder / name).touch()
    put_in_place(plan)
    assert [path.name for path in plan.out.iterdir()] == ["after"]
    assert not plan.staging.exists()


def test_an_interrupted_build_leaves_the_one_before(tmp_path: Path) -> None:
    plan = plan_below(tmp_path)
    for folder, name in ((plan.out, "before"), (plan.staging, "half"), (plan.root, "etc")):
        folder.mkdir(parents=True)
        (folder / name).touch()
    clear(plan)
    assert [path.name for path in plan.out.iterdir()] == ["before"]
    assert not plan.staging.exists()
    assert not plan.root.exists()


@pytest.mark.parametrize("begins_again", [False, True])
def test_an_end_between_two_names_loses_neither_build(tmp_path: Path, begins_again: bool) -> None:
    plan = plan_below(tmp_path)
    for folder, name in ((plan.before, "before"), (plan.staging, "after")):
        folder.mkdir()
        (folder / name).touch()
    if begins_again:
        clear(plan)
        plan.staging.mkdir()
        (plan.staging / "after").touch()
        put_in_place(plan)
    else:
        clear(plan)
    assert [path.name for path in plan.out.iterdir()] == ["after" if begins_again else "before"]
    assert not plan.before.exists()
    assert not plan.staging.exists()


def test_files_are_on_the_disk_before_they_have_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_below(tmp_path)
    plan.staging.mkdir()
    (plan.staging / "image").write_text("whole")
    written: list[Path] = []
    monkeypatch.setattr(
        os, "fsync", lambda number: written.append(Path(f"/proc/self/fd/{number}").readlink())
    )
    put_in_place(plan)
    assert written == [plan.staging / "image"]


def test_what_a_program_started_ends_with_the_build(tmp_path: Path) -> None:
    script = (
        "import signal; from pathlib import Path; from allerac_image.log import StepLog\n"
        "signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
        f"StepLog(Path({str(tmp_path / 'log')!r}), None).run("
        "['sh', '-c', 'sleep 600 & echo $! > pid.new; mv pid.new pid; wait'], "
        f"cwd=Path({str(tmp_path)!r}))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(IMAGE)},
    ) as build:
        _wait_for(lambda: (tmp_path / "pid").exists())
        started = int((tmp_path / "pid").read_text())
        assert _is_running(started)
        build.send_signal(signal.SIGTERM)
        build.wait(DEADLINE_SECONDS)
    _wait_for(lambda: not _is_running(started))


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(POLL_SECONDS)


def _is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
