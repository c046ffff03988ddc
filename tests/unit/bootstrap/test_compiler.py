"""The engine is compiled: a machine with a C compiler alone gets one for C++, or says so."""

import os
from pathlib import Path

import pytest

from bootstrap import steps
from bootstrap.engine import compiler_version
from bootstrap.steps import StepFailed

GXX = "#!/bin/sh\necho 12.2.0\n"
APT = """#!/bin/sh
[ "$1" = install ] || exit 0
printf '{gxx}' > {folder}/g++
/bin/chmod +x {folder}/g++
"""


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has gcc and make, and neither g++ nor c++."""
    for name in ("gcc", "make"):
        _program(tmp_path / name, GXX)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_root_gets_the_compiler_installed(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(steps, "BUILD", programs)
    _program(programs / "apt-get", APT.format(gxx=GXX.replace("\n", "\\n"), folder=programs))
    assert compiler_version() == "12.2.0"


def test_others_are_told_what_to_install(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    _program(programs / "apt-get", APT)
    with pytest.raises(StepFailed, match=r"^Missing for the engine: sudo apt-get install g\+\+$"):
        compiler_version()


def test_any_other_compiler_of_cxx_will_do(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    _program(programs / "c++", GXX.replace("12.2.0", "16.0.6"))
    assert compiler_version() == "16.0.6"
