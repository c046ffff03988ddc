"""`build` as a person starts it: refused, or interrupted on its way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from allerac_image.plan import REPOSITORY

IMAGE = (sys.executable, "-m", "allerac_image", "build", "--tier", "vm")
NOBODY = ("unshare", "--user")
SMALL_DISK = "mount -t tmpfs -o size=8m none {folder} && exec {command}"
DEADLINE_SECONDS = 60
STEP_SECONDS = 900
"""For the steps before the one that is waited for, on a busy machine with everything kept."""


def _require(*words: str) -> None:
    """Skip where namespaces are not allowed; CI has to allow them."""
    tried = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        leave = pytest.fail if os.environ.get("CI") else pytest.skip
        leave(f"namespaces are not allowed: {tried.stderr}")


def _run(command: list[str]) -> tuple[int, str]:
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_SECONDS,
    )
    return done.returncode, done.stdout + done.stderr


def test_somebody_else_than_root_is_told_so_before_anything_is_begun(tmp_path: Path) -> None:
    _require(*NOBODY)
    places = ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]
    assert _run([*NOBODY, *IMAGE, *places]) == (
        2,
        "An image is made as root, whose files it holds: sudo make image TIER=…\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_too_small_is_told_before_anything_is_begun(tmp_path: Path) -> None:
    _require("unshare", "--mount")
    places = ["--work", str(tmp_path / "small" / "work"), "--out", str(tmp_path / "out")]
    (tmp_path / "small").mkdir()
    script = SMALL_DISK.format(folder=tmp_path / "small", command=" ".join([*IMAGE, *places]))
    status, said = _run(["unshare", "--mount", "sh", "-c", script])
    assert status == 2
    assert f"{tmp_path}/small has 0.0 GB free and the build needs 3.0 GB." in said
    assert not (tmp_path / "out").exists()


@pytest.mark.matrix
@pytest.mark.timeout(2 * STEP_SECONDS)
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_build_is_never_taken_for_a_whole_one(
    tmp_path: Path, by: signal.Signals
) -> None:
    before = tmp_path / "out" / "before"
    before.parent.mkdir()
    before.touch()
    places = ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]
    with (
        (tmp_path / "said").open("w+") as said,
        subprocess.Popen([*IMAGE, *places], cwd=REPOSITORY, stdout=said, stderr=said) as build,
    ):
        _wait_for_line(tmp_path / "said", "Roles of provisioning/")
        build.send_signal(by)
        build.wait(DEADLINE_SECONDS)
    assert [path.name for path in before.parent.iterdir()] == ["before"]
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
    if by is not signal.SIGKILL:
        assert build.returncode == 130
        assert f"Interrupted. {tmp_path}/out is as it was." in (tmp_path / "said").read_text()
        assert {path.name for path in tmp_path.iterdir()} == {"out", "said", "work", "work.lock"}
        assert not (tmp_path / "work" / "root").exists()
    _wait_for_nobody_at(tmp_path)


def _wait_for_line(path: Path, text: str) -> None:
    deadline = time.monotonic() + STEP_SECONDS
    while text not in path.read_text():
        assert time.monotonic() < deadline, path.read_text()
        time.sleep(0.2)


def _wait_for_nobody_at(folder: Path) -> None:
    """Wait until no process is left that was started for a build below `folder`."""
    deadline = time.monotonic() + STEP_SECONDS
    while found := [one.name for one in Path("/proc").iterdir() if _works_at(folder, one)]:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def _works_at(folder: Path, process: Path) -> bool:
    try:
        return str(folder).encode() in (process / "cmdline").read_bytes()
    except OSError:
        return False
