"""What is asked of the distribution."""

import os
from pathlib import Path

import pytest

from bootstrap import steps
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


APT = """#!/bin/sh
case "$1" in
    install) echo "E: apt-get fails"; exit 100 ;;
    show) test "$2" = old-friend ;;
esac
"""
"""In place of apt-get and apt-cache: it installs nothing, and knows one package."""


def _with_this_apt(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for name in ("apt-get", "apt-cache"):
        (folder / name).write_text(APT)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(steps, "BUILD", folder / "build")


def test_says_what_the_distribution_does_not_have(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _with_this_apt(monkeypatch, tmp_path)
    missing = [Program("no-such-a", "old-friend"), Program("no-such-b", "stranger")]
    with pytest.raises(StepFailed, match=r"^This system's apt has no stranger, needed for a test"):
        prepare_programs(missing, "a test")


def test_says_what_apt_says_when_it_knows_every_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _with_this_apt(monkeypatch, tmp_path)
    with pytest.raises(StepFailed, match="E: apt-get fails"):
        prepare_programs([Program("no-such-a", "old-friend")], "a test")


def test_every_program_is_named_once() -> None:
    names = [program.name for program in (*BUILD_LINE, *EMULATOR)]
    assert len(names) == len(set(names))
