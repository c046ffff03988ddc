"""What the service watchdog is fed from."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from allerac.app.health import STUCK_SECONDS, Pulse
from allerac.engine.protocol import EngineState, EngineStatus
from allerac.health.service import STALLED_SECONDS
from tests.simulated_box import simulated_box


@dataclass(slots=True)
class Parts:
    """Parts of a box that do as a test says."""

    is_looking: bool = True
    state: EngineState = "ready"
    seconds: float = 0.0

    def status(self) -> EngineStatus:
        return EngineStatus(state=self.state)

    def pulse(self) -> Pulse:
        return Pulse(self, self, steady=lambda: self.seconds)


def test_a_box_that_looks_no_more_is_to_be_started_anew() -> None:
    parts = Parts()
    pulse = parts.pulse()
    assert pulse.is_well()
    parts.is_looking = False
    assert not pulse.is_well()


@pytest.mark.parametrize("state", ["starting", "loading"])
def test_an_engine_that_gets_nowhere_is_given_its_time_and_no_more(state: EngineState) -> None:
    parts = Parts(state=state)
    pulse = parts.pulse()
    assert pulse.is_well()
    parts.seconds = STUCK_SECONDS
    assert pulse.is_well()
    parts.seconds += 1
    assert not pulse.is_well()
    parts.state = "ready"
    assert pulse.is_well()


def test_every_start_has_its_own_time() -> None:
    parts = Parts(state="loading")
    pulse = parts.pulse()
    assert pulse.is_well()
    parts.seconds, parts.state = STUCK_SECONDS, "ready"
    assert pulse.is_well()
    parts.state = "loading"
    assert pulse.is_well()
    parts.seconds += STUCK_SECONDS
    assert pulse.is_well()


@pytest.mark.parametrize("state", ["stopped", "failed", "ready"])
def test_an_engine_that_waits_for_people_never_starts_the_box_anew(state: EngineState) -> None:
    parts = Parts(state=state)
    pulse = parts.pulse()
    assert pulse.is_well()
    parts.seconds = 100 * STUCK_SECONDS
    assert pulse.is_well()


async def test_samples_that_stay_away_stop_the_pulse(tmp_path: Path) -> None:
    async with simulated_box(tmp_path) as box:
        await box.health.start()
        await box.health.sample()
        assert box.health.is_looking
        box.seconds += STALLED_SECONDS
        assert not box.health.is_looking
