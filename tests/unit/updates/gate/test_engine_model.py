"""The canary over the runtime's own engine."""

import pytest

from allerac.engine.protocol import EngineState, EngineStatus
from allerac.errors import EngineStopped, EngineUnavailable
from allerac.updates.gate import EngineModel, Spoken
from tests.fakes import USAGE, FakeEngine, said


class TellingEngine(FakeEngine):
    """Is in the state that a test gives it."""

    def __init__(self, state: EngineState, error: str | None = None) -> None:
        super().__init__()
        self._told = EngineStatus(state, "household-4b", last_error=error)

    def status(self) -> EngineStatus:
        """Tell it."""
        return self._told


async def test_it_tells_text_and_speed_of_a_greedy_answer() -> None:
    engine = TellingEngine("ready")
    engine.plays(*said("one, ", "two"))
    assert await EngineModel(engine).canary() == Spoken("one, two", USAGE.tokens_per_second)
    [request] = engine.requests
    assert (request.model_id, request.sampling.temperature) == ("household-4b", 0.0)
    assert request.sampling.max_tokens == 48


@pytest.mark.parametrize("state", ["stopped", "starting", "loading"])
async def test_a_model_is_not_loaded_before_the_engine_is_ready(state: EngineState) -> None:
    model = EngineModel(TellingEngine(state))
    assert await model.loaded() is None
    with pytest.raises(EngineUnavailable):
        await model.canary()


async def test_an_engine_that_gave_up_says_why() -> None:
    with pytest.raises(EngineUnavailable, match="no such file"):
        await EngineModel(TellingEngine("failed", "no such file")).loaded()


async def test_an_answer_that_breaks_off_is_an_error() -> None:
    engine = TellingEngine("ready")
    engine.plays(*said("one, ")[:1], EngineStopped("The engine stopped."))
    with pytest.raises(EngineStopped):
        await EngineModel(engine).canary()
