"""What the other rooms of a claimed box know becomes issues; only time is simulated."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from allerac.app.health_onlookers import Onlookers
from allerac.health import Issue
from allerac.network import BoxIdentity
from tests.api.health_box import HealthBox, health_box
from tests.simulated_box import SimulatedBox

pytestmark = pytest.mark.timeout(300)

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class LookingBox:
    """`time` passes as fast as it is told to; what it asks is the claimed box."""

    claimed: HealthBox
    time: SimulatedBox

    @property
    def onlookers(self) -> Onlookers:
        looking: Onlookers = self.claimed.app.state.runtime.health.onlookers
        return looking

    async def issue(self, code: str, *, within_seconds: float = MINUTE) -> Issue:
        await self.time.live(within_seconds)
        issues = {issue.check.code: issue for issue in self.time.health.status().issues}
        return issues[code]


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[LookingBox]:
    async with health_box(tmp_path) as claimed:
        onlookers = claimed.app.state.runtime.health.onlookers
        time = SimulatedBox(claimed.machine, ask=onlookers.look)
        yield LookingBox(claimed, time)
        await time.health.stop()


@dataclass(frozen=True, slots=True)
class Taken:
    """A network on which another machine has the box's name, as the announcer tells it."""

    identity: BoxIdentity

    def conflict(self) -> str:
        return "Another machine (192.168.1.5) on this network is called anas-box.local."


async def test_a_name_that_is_taken_is_told_in_one_language_at_a_time(box: LookingBox) -> None:
    rooms = box.onlookers.rooms
    identity = rooms.presence.identity
    assert identity is not None
    name = f"{identity.label}.local"
    box.onlookers.rooms = replace(rooms, presence=Taken(identity))
    issue = await box.issue("name_conflict")
    assert issue.words("en").meaning == f"Two devices on this network answer to {name}."
    assert issue.words("de").meaning == f"Zwei Geräte in diesem Netz hören auf {name}."
