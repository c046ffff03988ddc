"""The journal is read within bounds, and a machine without one is told."""

from pathlib import Path

import pytest

from allerac.appliance import journal
from allerac.errors import Unavailable


def _install(folder: Path, script: str) -> None:
    program = folder / "journalctl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


async def test_only_our_units_are_asked_and_lines_come_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install(tmp_path, 'for word in "$@"; do echo "$word"; done')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    words = await journal.read_journal(7)
    assert "--lines=7" in words
    assert [word for word in words if word.startswith("--unit=")] == [
        f"--unit={unit}" for unit in journal.UNITS
    ]


@pytest.mark.parametrize("script", ["exit 1", "sleep 60"])
async def test_a_journal_that_fails_or_hangs_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    _install(tmp_path, f"exec {script}" if script.startswith("sleep") else script)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(Unavailable):
        await journal.read_journal(7, timeout_seconds=0.2)


async def test_a_machine_without_a_journal_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable):
        await journal.read_journal(7)
