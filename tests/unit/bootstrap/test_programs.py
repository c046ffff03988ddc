"""What is asked of the distribution."""

import os
from pathlib import Path

import pytest

from bootstrap.image import BUILD_LINE, EMULATOR
from bootstrap.steps import StepFailed
from bootstrap.system import Program, prepare_programs


def test_a_program_that_is_there_is_not_asked_for() -> None:
    prepare_programs([Program("sh", "dash"), Program("/etc/passwd", "base-passwd")], "a test")


def test_finds_the_systems_programs_of_a_person_without_them_in_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Program("ldconfig", "libc-bin").is_there


def test_says_in_one_line_what_to_install_who_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    missing = [Program("no-such-b", "b"), Program("/no/such/a", "a"), Program("no-such-c", "b")]
    with pytest.raises(StepFailed, match=r"^Missing for a test: sudo apt-get install a b$"):
        prepare_programs(missing, "a test")


def test_every_program_is_named_once() -> None:
    names = [program.name for program in (*BUILD_LINE, *EMULATOR)]
    assert len(names) == len(set(names))
