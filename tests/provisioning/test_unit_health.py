"""Services that fail, or start again and again, as the box's own runtime has them from systemd."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.provisioning.own_system import running_system
from tests.provisioning.test_services import OURS
from tests.provisioning.visited_system import VisitedSystem

SAMPLE_SECONDS = 1
PATIENCE_SECONDS = 240.0
"""An issue opens after 20 s and ends after 60; the machine has other things to do."""

OFTEN = 5
BROKEN, AGAIN = "broken.service", "allerac-rescue.service"
UNITS = {
    BROKEN: "[Service]\nType=oneshot\nExecStart=/usr/bin/false\n",
    "allerac.service.d/quick.conf": (
        f"[Service]\nEnvironment=ALLERAC_SAMPLE_SECONDS={SAMPLE_SECONDS}\n"
    ),
}
STARTS = """
from pysqlite3.dbapi2 import connect
diary = connect("file:/data/allerac/health.sqlite?mode=ro", uri=True)
print(*diary.execute("SELECT count(*), count(DISTINCT boot) FROM start").fetchone())
"""
"""Prints how many starts of the runtime are kept, and of how many boots."""

Told = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def home(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VisitedSystem]:
    """A claimed box, with a unit that fails when it is started."""
    scratch = tmp_path_factory.mktemp("system")
    for name, text in UNITS.items():
        file = scratch / "units" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with running_system(root, scratch, scratch / "units") as system:
        system.wait_for(("systemctl", "is-active", *OURS), "\n".join(["active"] * len(OURS)))
        house = VisitedSystem.of(system)
        try:
            house.claim(house.claim_code())
            yield house
        finally:
            house.visit.end()


def _until(home: VisitedSystem, reached: Callable[[Told], bool]) -> Told:
    """Return what is told of units, by their names, once it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        health = home.call("GET", "/health")
        issues = [issue for issue in health["issues"] if issue["code"] == "unit_failed"]
        told = {issue["subject"]: issue for issue in issues}
        if health["at"] is not None and reached(told):
            return told
        assert time.monotonic() < deadline, (health, home.system.ask("systemctl", "--failed"))
        time.sleep(0.5)


def test_a_unit_that_fails_is_told_by_name_until_it_is_put_right(home: VisitedSystem) -> None:
    assert _until(home, lambda told: True) == {}
    home.system.ask("systemctl", "start", BROKEN)
    told = _until(home, lambda told: bool(told))
    assert list(told) == [BROKEN]
    assert told[BROKEN]["evidence"] == {"unit": BROKEN, "restarts": 0}
    assert BROKEN in told[BROKEN]["words"]["de"]["meaning"]
    home.system.ask("systemctl", "reset-failed", BROKEN)
    _until(home, lambda told: not told)
    past = home.call("GET", "/health/issues")["items"]
    assert [issue["subject"] for issue in past if issue["code"] == "unit_failed"] == [BROKEN]


def test_a_service_that_starts_again_and_again_is_told_with_its_number(home: VisitedSystem) -> None:
    restarts = ("systemctl", "show", "--value", "--property=NRestarts", AGAIN)
    for number in range(1, OFTEN + 1):
        home.system.ask("systemctl", "kill", "--signal=KILL", AGAIN)
        home.system.wait_for(restarts, str(number))
        home.system.wait_for(("systemctl", "is-active", AGAIN), "active")
    told = _until(home, lambda told: bool(told))
    assert list(told) == [AGAIN]
    assert told[AGAIN]["evidence"] == {"unit": AGAIN, "restarts": OFTEN}
    assert home.system.ask("systemctl", "is-failed", AGAIN).strip() == "active"


def test_a_runtime_that_was_killed_knows_by_its_diary_that_it_started_before(
    home: VisitedSystem,
) -> None:
    def kept() -> list[str]:
        return home.system.ask("/opt/allerac/venv/bin/python", "-c", STARTS).split()

    assert kept() == ["1", "1"]
    home.system.ask("systemctl", "kill", "--signal=KILL", "allerac.service")
    home.system.wait_for(("systemctl", "is-active", "allerac.service"), "active")
    home.wait_ready()
    assert kept() == ["2", "1"]
