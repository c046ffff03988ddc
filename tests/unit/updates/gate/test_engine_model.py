"""The canary over the runtime's own engine."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from allerac.engine.protocol import EngineEvent, EngineState, EngineStatus, GenerationRequest
from allerac.errors import EngineStopped, EngineUnavailable
from allerac.knowledge.pace import ConsideratePace
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


class WatchedEngine(TellingEngine):
    """Notes for what documents wait while it answers."""

    def __init__(self, pace: ConsideratePace) -> None:
        super().__init__("ready")
        self._pace = pace
        self.seen: list[frozenset[str]] = []

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[EngineEvent, None]:
        """Look, then answer."""
        self.seen.append(self._pace.held_for())
        async with aclosing(super().generate(request)) as events:
            async for event in events:
                yield event


async def test_documents_wait_for_a_canary_and_for_no_longer() -> None:
    pace = ConsideratePace(is_busy=lambda: False)
    engine = WatchedEngine(pace)
    engine.plays(*said("one, ", "two"))
    engine.plays(EngineStopped("The engine stopped."))
    model = EngineModel(engine, pace)
    assert (await model.canary()).text == "one, two"
    with pytest.raises(EngineStopped):
        await model.canary()
    assert engine.seen == [frozenset({"canary"})] * 2
    assert pace.held_for() == frozenset()


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
