"""How conversations begin is read before anybody asks, in idle time and within bounds."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import pytest

from allerac.chat.context import Context
from allerac.chat.idle import IdleWork
from allerac.chat.library import Beginning, NoLibrary, Setting
from allerac.chat.warmup import Warmup
from allerac.engine.protocol import EngineStatus, PromptMessage
from allerac.errors import ContextTooLong, EngineStopped, StorageUnavailable
from tests.fakes import FakeEngine

COOK = Beginning("ana", Setting(instructions="You are a cook."))
NURSE = Beginning("ben", Setting(instructions="You are a nurse."))
PLENTY = 100_000


class KeepingEngine(FakeEngine):
    """Has a store on disk, of `kept_tokens`."""

    def __init__(self) -> None:
        super().__init__()
        self.kept_tokens = PLENTY
        self.model_id = "small"
        self.others = 0
        self.looks = 0

    def status(self) -> EngineStatus:
        self.looks += 1
        return replace(
            super().status(),
            kept_tokens=self.kept_tokens,
            model_id=self.model_id,
            active=self.active + self.others,
        )

    async def count_tokens(self, messages: Sequence[PromptMessage]) -> int:
        if "endless" in messages[0].content:
            raise ContextTooLong(9000, 1000)
        return await super().count_tokens(messages)


class Shelf(NoLibrary):
    """Knows the beginnings that a test puts there; counts how often it was asked."""

    def __init__(self, *beginnings: Beginning) -> None:
        self.beginnings_known = beginnings
        self.asked = 0
        self.failure: Exception | None = None

    async def beginnings(self, model_id: str) -> Sequence[Beginning]:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return self.beginnings_known


@pytest.fixture
def engine() -> KeepingEngine:
    return KeepingEngine()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(COOK, NURSE)


class Bench:
    """A warm-up that checks often, and what it may do."""

    def __init__(self, engine: KeepingEngine, shelf: Shelf) -> None:
        self.may_run = True
        self.idle = IdleWork(engine, check_seconds=0.001)
        self.warmup = Warmup(
            engine=engine,
            idle=self.idle,
            context=Context(engine=engine, instructions="You are Allerac."),
            library=shelf,
            may_run=lambda: self.may_run,
            quiet_seconds=0.0,
            check_seconds=0.001,
        )


@pytest.fixture
async def bench(engine: KeepingEngine, shelf: Shelf) -> AsyncIterator[Bench]:
    one = Bench(engine, shelf)
    yield one
    await one.warmup.stop()
    await one.idle.stop()


async def _until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not claim():  # noqa: ASYNC110 - the fakes have no event to wait on
            await asyncio.sleep(0.001)


def _read(engine: FakeEngine) -> list[tuple[str, str]]:
    return [(r.person_id, r.messages[0].content) for r in engine.requests]


BOTH = [("ana", "You are a cook."), ("ben", "You are a nurse.")]


async def _watched(engine: KeepingEngine) -> None:
    """Let the warm-up look at the engine some times."""
    looks = engine.looks
    await _until(lambda: engine.looks >= looks + 5)


async def _looked(shelf: Shelf, bench: Bench) -> None:
    """Let the warm-up look twice more: what it was to read before that, it has read."""
    for _ in range(2):
        asked = shelf.asked
        bench.warmup.renew()
        await _until(lambda: shelf.asked > asked)  # noqa: B023 - waited for at once


async def test_each_beginning_is_read_once_and_as_nobody_waits(
    engine: KeepingEngine, shelf: Shelf, bench: Bench
) -> None:
    bench.warmup.start()
    await _looked(shelf, bench)
    assert _read(engine) == BOTH
    assert {request.priority for request in engine.requests} == {"background"}
    assert {request.sampling.max_tokens for request in engine.requests} == {1}
    assert engine.requests[0].messages[1:] == (PromptMessage("user", ""),)


async def test_what_was_changed_is_read_again_and_nothing_else(
    engine: KeepingEngine, shelf: Shelf, bench: Bench
) -> None:
    bench.warmup.start()
    await _looked(shelf, bench)
    shelf.beginnings_known = (COOK, Beginning("ben", Setting(instructions="You are a smith.")))
    await _looked(shelf, bench)
    assert _read(engine) == [*BOTH, ("ben", "You are a smith.")]


async def test_another_model_reads_for_itself(
    engine: KeepingEngine, shelf: Shelf, bench: Bench
) -> None:
    bench.warmup.start()
    await _looked(shelf, bench)
    engine.model_id = "large"
    await _until(lambda: len(engine.requests) == 4)
    assert [request.model_id for request in engine.requests] == ["small"] * 2 + ["large"] * 2


async def test_nothing_is_read_while_the_box_may_not_or_people_are_answered(
    engine: KeepingEngine, shelf: Shelf, bench: Bench
) -> None:
    bench.may_run = False
    bench.warmup.start()
    await _watched(engine)
    assert shelf.asked == 0
    engine.others, bench.may_run = 1, True
    await _watched(engine)
    assert shelf.asked == 0
    engine.others = 0
    await _until(lambda: _read(engine) == BOTH)


async def test_whoever_asks_goes_first(engine: KeepingEngine, shelf: Shelf, bench: Bench) -> None:
    engine.plays(asyncio.Event())
    bench.warmup.start()
    await _until(lambda: len(engine.requests) == 1)
    bench.idle.give_way()
    await _until(lambda: len(engine.requests) == 3)
    assert engine.closed == [engine.requests[0].request_id]
    assert _read(engine) == [BOTH[0], *BOTH]


async def test_no_more_is_read_than_its_share_of_the_store(
    engine: KeepingEngine, shelf: Shelf, bench: Bench
) -> None:
    engine.kept_tokens = 4 * 7  # the fake counts words: each beginning has four
    bench.warmup.start()
    await _looked(shelf, bench)
    assert _read(engine) == BOTH[:1]


async def test_nothing_is_read_where_nothing_is_kept(
    engine: KeepingEngine, shelf: Shelf, bench: Bench
) -> None:
    engine.kept_tokens = 0
    bench.warmup.start()
    await _watched(engine)
    assert (engine.requests, shelf.asked) == ([], 0)


async def test_instructions_that_no_question_could_follow_are_passed_over(
    engine: KeepingEngine, shelf: Shelf, bench: Bench
) -> None:
    shelf.beginnings_known = (Beginning("ana", Setting(instructions="endless")), NURSE)
    bench.warmup.start()
    await _looked(shelf, bench)
    assert _read(engine) == BOTH[1:]


async def test_engine_that_fails_is_asked_again_another_time(
    engine: KeepingEngine, shelf: Shelf, bench: Bench
) -> None:
    engine.plays(EngineStopped("The engine stopped."))
    bench.warmup.start()
    await _until(lambda: len(engine.requests) == 1)
    await _looked(shelf, bench)
    assert _read(engine) == [BOTH[0], *BOTH]


async def test_library_that_fails_is_asked_again_after_a_change(
    engine: KeepingEngine, shelf: Shelf, bench: Bench
) -> None:
    shelf.failure = StorageUnavailable("The disk is full.")
    bench.warmup.start()
    await _until(lambda: shelf.asked == 1)
    shelf.failure = None
    await _looked(shelf, bench)
    assert _read(engine) == BOTH
