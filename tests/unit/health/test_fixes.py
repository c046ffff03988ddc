"""A fix is offered where it can help, and not where it would only be refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from allerac.errors import Conflict
from allerac.health import BoxFacts, EngineFacts, Finding, Issue, UpdateFacts
from tests.recorded_machine import GIB
from tests.simulated_box import WELL, SimulatedBox, simulated_box

FAILED = EngineFacts(state="failed")
DAMAGED = replace(WELL, damaged_models=("small",))


@pytest.mark.parametrize(
    ("code", "facts", "free_gib", "is_offered"),
    [
        ("engine_down", replace(WELL, engine=FAILED), 150, True),
        ("engine_down", replace(WELL, engine=replace(FAILED, rests=True)), 150, False),
        ("disk_nearly_full", replace(WELL, unfinished_downloads=1), 1, True),
        ("disk_nearly_full", WELL, 1, False),
        ("model_damaged", replace(DAMAGED, offered_models=("small",)), 150, True),
        ("model_damaged", replace(DAMAGED, offered_models=("small",)), 1, False),
        ("model_damaged", DAMAGED, 150, False),
        ("update_failed", replace(WELL, update=UpdateFacts(failed="no_room")), 150, True),
        (
            "update_failed",
            replace(WELL, update=UpdateFacts(failed="no_room"), clock_moved_seconds=3e8),
            150,
            False,
        ),
    ],
)
async def test_a_fix_is_offered_where_it_can_help(
    code: str, facts: BoxFacts, free_gib: float, is_offered: bool, tmp_path: Path
) -> None:
    async with simulated_box(tmp_path) as box:
        box.facts = facts
        box.machine.disk(total=240 * GIB, free=int(free_gib * GIB))
        if facts.clock_moved_seconds:
            box.machine.remove("run/systemd/timesync/synchronized")
        await box.live(60)
        told = [issue for issue in box.health.status().issues if issue.check.code == code]
        (issue,) = told
        assert (issue.id in box.health.status().fixable) is is_offered
        assert await _fixed(box, issue) == ([issue.finding] if is_offered else [])


async def _fixed(box: SimulatedBox, issue: Issue) -> list[Finding]:
    """Click, whether it is offered or not; return what was done."""
    fix = issue.check.fix
    assert fix is not None
    before = len(box.fixed)
    try:
        await box.health.fix(issue.id)
    except Conflict:
        return []
    assert {name for name, _ in box.fixed[before:]} == {fix.act}
    return [finding for _, finding in box.fixed[before:]]
