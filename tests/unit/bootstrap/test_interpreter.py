"""The distribution's Python is taken where there is one that will do, once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.interpreter import SYSTEM, prefer_the_systems

REPOSITORY = Path(__file__).parents[3]
BEGIN = """
import json, sys
from pathlib import Path
from bootstrap.interpreter import prefer_the_systems
prefer_the_systems(["run"], Path(sys.argv[1]))
print(json.dumps("still here"))
"""
OLD = "#!/bin/sh\nexit 1\n"
NEW = """#!/bin/sh
case "$1" in -c) exit 0;; esac
printf '"%s"' "$*"
"""


def _begin(system: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN, str(system)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return str(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("program", "told"), [(NEW, "-m bootstrap run"), (OLD, "still here"), (None, "still here")]
)
def test_another_is_taken_if_it_is_there_and_new_enough(
    tmp_path: Path, program: str | None, told: str
) -> None:
    system = tmp_path / "python3"
    if program is not None:
        system.write_text(program)
        system.chmod(0o755)
    assert _begin(system) == told


def test_the_one_that_runs_goes_on(tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to(sys.executable)
    assert _begin(tmp_path / "python3") == "still here"


@pytest.mark.skipif(not SYSTEM.exists(), reason="there is no system's Python")
def test_the_checkout_has_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin_again(*_: object) -> None:
        raise AssertionError("the tests run in another Python than the system's")

    monkeypatch.setattr(os, "execv", begin_again)
    prefer_the_systems([])
