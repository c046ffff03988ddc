"""What is done in idle time never delays a person, and is done all the same."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from allerac.chat.idle import IdleWork, Said
from allerac.engine.protocol import Delta, Finished, GenerationRequest, PromptMessage, Sampling
from allerac.errors import EngineStopped, NotFound
from tests.fakes import USAGE, FakeEngine, said


def _request(name: str) -> GenerationRequest:
    messages = (PromptMessage("user", "Sum it up"),)
    return GenerationRequest(name, "small", "ana", messages, Sampling(), "background")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def idle(engine: FakeEngine) -> AsyncIterator[IdleWork]:
    work = IdleWork(engine, check_seconds=0.001)
    yield work
    await work.stop()


async def _asked(engine: FakeEngine, count: int) -> None:
    async with asyncio.timeout(10):
        while len(engine.requests) < count:  # noqa: ASYNC110 - the fake has no event to wait on
            await asyncio.sleep(0)


async def test_an_idle_engine_is_asked_at_once(engine: FakeEngine, idle: IdleWork) -> None:
    engine.plays(*said("Tea ", "for two"))
    assert await idle.ask(_request("one")) == Said("Tea for two", is_whole=True)


async def test_an_answer_that_was_cut_says_so(engine: FakeEngine, idle: IdleWork) -> None:
    engine.plays(Delta("Tea for", 1), Finished("length", USAGE))
    assert await idle.ask(_request("one")) == Said("Tea for", is_whole=False)


async def test_one_question_at_a_time(engine: FakeEngine, idle: IdleWork) -> None:
    gate = asyncio.Event()
    engine.plays(gate, *said("First"))
    asking = [asyncio.create_task(idle.ask(_request(name))) for name in ("one", "two")]
    await _asked(engine, 1)
    gate.set()
    answers = await asyncio.gather(*asking)
    assert [answer.text for answer in answers if answer] == ["First", "Hello."]


async def test_whoever_comes_goes_first_and_the_question_is_asked_again(
    engine: FakeEngine, idle: IdleWork
) -> None:
    engine.plays(Delta("Half", 1), asyncio.Event())
    asking = asyncio.create_task(idle.ask(_request("one")))
    await _asked(engine, 1)
    await asyncio.sleep(0)
    idle.give_way()
    assert await asking == Said("Hello.", is_whole=True)
    assert engine.closed == ["one"]


async def test_an_engine_that_fails_or_has_no_time_gives_nothing(
    engine: FakeEngine, idle: IdleWork
) -> None:
    engine.plays(Delta("Half", 1), EngineStopped("Gone."))
    assert await idle.ask(_request("one")) is None
    engine.active = 1
    assert await IdleWork(engine, patience_seconds=0.01).ask(_request("two")) is None
    assert len(engine.requests) == 1


async def test_a_job_takes_the_place_of_the_one_before_of_its_name(idle: IdleWork) -> None:
    done: list[str] = []
    gate, ended = asyncio.Event(), asyncio.Event()

    async def job(name: str) -> None:
        await gate.wait()
        done.append(name)
        ended.set()

    for name in ("first", "second"):
        idle.begin("title", partial(job, name))
    idle.begin("other", partial(job, "dropped"))
    idle.drop("other")
    idle.drop("unknown")
    gate.set()
    await ended.wait()
    assert done == ["second"]


@pytest.mark.parametrize("failure", [NotFound("Deleted meanwhile."), RuntimeError("ours")])
async def test_a_job_that_fails_harms_nobody(idle: IdleWork, failure: Exception) -> None:
    ended = asyncio.Event()

    async def fails() -> None:
        raise failure

    async def works() -> None:
        ended.set()

    idle.begin("one", fails)
    idle.begin("two", works)
    async with asyncio.timeout(10):
        await ended.wait()


async def test_stopping_leaves_the_engine(engine: FakeEngine, idle: IdleWork) -> None:
    async def job() -> None:
        await idle.ask(_request("one"))

    engine.plays(Delta("Half", 1), asyncio.Event())
    idle.begin("title", job)
    await _asked(engine, 1)
    await asyncio.sleep(0)
    await idle.stop()
    assert engine.closed == ["one"]
