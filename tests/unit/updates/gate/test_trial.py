"""`allerac prove` as the unit runs it, beside a real runtime with a real model."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from allerac.updates.gate import PROVEN, WENT_BACK

LONGEST_SECONDS = 300
pytestmark = [pytest.mark.slow, pytest.mark.timeout(LONGEST_SECONDS)]

OWN_SYSTEM = ("unshare", "--user", "--map-root-user", "--net", "--pid", "--mount-proc")
ENDING_WITH_US = ("--fork", "--kill-child")
TRIALS = ("works", "slower", "crashed")


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Any]]:
    """What came of each trial."""
    folder = tmp_path_factory.mktemp("trial")
    inside = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    run = subprocess.run(
        [
            *OWN_SYSTEM,
            *ENDING_WITH_US,
            *inside,
            sys.executable,
            "-m",
            "tests.unit.updates.gate.trial",
            str(folder),
        ],
        stdout=subprocess.PIPE,
        timeout=LONGEST_SECONDS,
        check=True,
        text=True,
    )
    told = {row["trial"]: row for row in map(json.loads, run.stdout.splitlines())}
    assert set(told) == set(TRIALS)
    return told


def test_a_system_that_works_is_kept_and_measured(trials: Mapping[str, Mapping[str, Any]]) -> None:
    told = trials["works"]
    assert (told["code"], told["kept"], told["restarts"]) == (PROVEN, True, False)
    assert (told["reason"], told["model"], told["speeds"]) == (None, "allerac-demo", 1)


def test_a_system_that_is_much_slower_goes_back(trials: Mapping[str, Mapping[str, Any]]) -> None:
    told = trials["slower"]
    assert (told["code"], told["kept"], told["restarts"]) == (WENT_BACK, False, True)
    assert (told["reason"], told["attempt"]) == ("too_slow", "update-1")
    assert told["detail"].endswith("tokens a second")


def test_a_system_whose_runtime_crashed_goes_back(trials: Mapping[str, Mapping[str, Any]]) -> None:
    told = trials["crashed"]
    assert (told["code"], told["kept"], told["restarts"]) == (WENT_BACK, False, True)
    assert (told["reason"], told["attempt"]) == ("sign_in_not_served", "update-2")
