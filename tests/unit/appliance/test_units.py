"""Services that failed, as systemctl tells them."""

from pathlib import Path

import pytest

from allerac.appliance.units import read_units

PROGRAM = """#!/bin/sh
case "$1" in
list-units) echo '[{"unit":"nginx.service","active":"failed"}]' ;;
show) printf 'Id=allerac.service\\nNRestarts=0\\n\\nId=allerac-engine.service\\nNRestarts=7\\n' ;;
esac
"""


def _systemctl(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "systemctl"
    program.write_text(text)
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


async def test_failed_units_and_those_that_start_again_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _systemctl(tmp_path, PROGRAM, monkeypatch)
    units = {unit.name: unit for unit in await read_units()}
    assert units["nginx.service"].failed
    assert units["allerac-engine.service"].restarts == 7
    assert not units["allerac.service"].failed


@pytest.mark.parametrize("says", ["exit 1", "echo nonsense", "echo '{}'", "echo '[1]'", "true"])
async def test_a_machine_without_systemd_has_no_units(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str
) -> None:
    _systemctl(tmp_path, f"#!/bin/sh\n{says}\n", monkeypatch)
    assert await read_units() == ()
