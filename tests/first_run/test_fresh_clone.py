"""A stranger clones the repository and types `make run`; what was fetched before is kept.

Nothing is fetched: packages come from the user's cache, as they do for a second checkout.
"""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.running_box import CODE, READY

REPOSITORY = Path(__file__).parents[2]
RUN_SECONDS = 800.0
END_SECONDS = 30.0
STEP = re.compile(r"^▸ (.*)$", re.MULTILINE)
OFFLINE = {"PIP_NO_INDEX": "1", "npm_config_offline": "true"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * RUN_SECONDS)]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as a stranger has it."""
    folder = tmp_path_factory.mktemp("fresh") / "allerac"
    command = ["git", "clone", "--quiet", "--no-hardlinks", str(REPOSITORY), str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=END_SECONDS)
    return folder


@contextmanager
def make_run(clone: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Type `make run` in a terminal of its own; yield it with what it printed until it is ready."""
    settings = {"ALLERAC_PORT": "0", "ALLERAC_ANNOUNCE": "false"}
    terminal = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    made = subprocess.Popen(
        ["make", "run"],  # noqa: S607 - found on PATH
        cwd=clone,
        env={**terminal, **OFFLINE, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    watchdog = threading.Timer(RUN_SECONDS, os.killpg, (made.pid, signal.SIGKILL))
    watchdog.start()
    try:
        told = ""
        for line in made.stdout or ():
            told += line
            if "Stop with" in line:
                break
        yield made, told
    finally:
        watchdog.cancel()
        if made.poll() is None:
            os.killpg(made.pid, signal.SIGKILL)
        made.communicate()


def press_control_c(made: "subprocess.Popen[str]") -> str:
    """End all that the terminal runs, as its keyboard does; return what was said last."""
    os.killpg(made.pid, signal.SIGINT)
    told, _ = made.communicate(timeout=END_SECONDS)
    with pytest.raises(ProcessLookupError):
        os.killpg(made.pid, 0)
    return told


def test_make_run_in_a_fresh_clone_leads_to_a_box_and_ends_in_order(clone: Path) -> None:
    with make_run(clone) as (made, told):
        ready = READY.search(told)
        assert ready, told
        assert CODE.search(told), told
        assert "Web application: build" in STEP.findall(told)
        address = httpx.URL(ready[1])
        with httpx.Client(base_url=address, headers={"Accept": "text/html"}) as person:
            assert "<title>Allerac" in person.get("/").text
            assert person.get("/api/v1/status").json()["claimed"] is False
            end = time.monotonic() + END_SECONDS
            while (answer := person.get("/readyz")).status_code != 200:
                assert time.monotonic() < end, answer.text
                time.sleep(0.1)
        last = press_control_c(made)
        assert "Traceback" not in last
        with pytest.raises(httpx.ConnectError):
            httpx.get(address)


def test_second_make_run_makes_nothing_anew(clone: Path) -> None:
    with make_run(clone) as (made, told):
        assert READY.search(told), told
        assert STEP.findall(told) == []
        assert "Traceback" not in press_control_c(made)
