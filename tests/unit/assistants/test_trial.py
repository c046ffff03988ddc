"""An assistant is tried while it is written: it answers as it would, and nothing is kept."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import Connection, MetaData, Table, func, inspect, select

from allerac.chat.library import Setting, Tried
from allerac.chat.prompt import Turn
from allerac.chat.trial import PER_PERSON, TrialService
from allerac.engine.protocol import Delta
from allerac.errors import EngineStopped, InvalidInput, NotFound, QueueFull
from allerac.events import Event
from tests.fakes import said

from .conftest import FAR, Home

HOUSE, SCHOOL = "The boiler is serviced in March.", "The timetable changes in May."
ASKED = (Turn("user", "Tell me"),)
PLAIN = Tried(Setting())


@pytest.fixture
def trials(home: Home) -> TrialService:
    return TrialService(engine=home.room.engine, models=home.models, library=home.librarian)


async def _answer(
    trials: TrialService, tried: Tried = PLAIN, turns: Sequence[Turn] = ASKED
) -> list[Event]:
    return [event async for event in await trials.answer("ana", tried, turns)]


def _prompt(home: Home) -> str:
    return "\n".join(message.content for message in home.room.engine.requests[-1].messages)


def _rows(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has."""
    names = [name for name in inspect(connection).get_table_names() if "vector" not in name]
    metadata = MetaData()
    return {
        name: connection.scalar(select(func.count()).select_from(Table(name, metadata))) or 0
        for name in names
    }


async def test_it_answers_by_what_stands_in_the_editor(home: Home, trials: TrialService) -> None:
    setting = Setting(instructions="Be a pirate.", temperature=0.25, max_tokens=40)
    said_before = (Turn("user", "Hi"), Turn("assistant", "Ahoy."), Turn("user", "Tell me"))
    events = await _answer(trials, Tried(setting), said_before)
    (request,) = home.room.engine.requests
    assert (request.sampling.temperature, request.sampling.max_tokens) == (0.25, 40)
    assert [message.content for message in request.messages] == [
        "Be a pirate.",
        "Hi",
        "Ahoy.",
        "Tell me",
    ]
    assert [event.kind for event in events] == ["delta", "done"]
    assert [event.sequence for event in events] == [1, 2]


async def test_nothing_of_it_is_kept(home: Home, trials: TrialService) -> None:
    await home.put("ana", HOUSE)
    before = await home.room.database.read(_rows)
    for text in ("Remember that the vault code is 7731.", "My doctor is called Weber."):
        events = await _answer(trials, turns=(Turn("user", text),))
        assert events[-1].kind == "done"
    assert await home.room.database.read(_rows) == before
    assert await home.service.memories("ana") == []
    assert sum(before.values()) > 0


async def test_it_looks_where_the_assistant_would_and_nowhere_else(
    home: Home, trials: TrialService
) -> None:
    school = await home.put("ana", SCHOOL)
    await home.put("ana", HOUSE)
    others = await home.put("ben", "Ben's secret.")
    narrowed = replace(PLAIN, file_ids=frozenset({school, others}))
    (told, *_) = await _answer(trials, narrowed)
    (passage,) = told.data["passages"]
    assert (told.kind, passage["number"], passage["file_id"]) == ("sources", 1, school)
    assert passage["text"] == SCHOOL
    assert SCHOOL in _prompt(home)
    assert HOUSE not in _prompt(home)
    assert "secret" not in _prompt(home)

    events = await _answer(trials, replace(PLAIN, uses_knowledge=False))
    assert "sources" not in {event.kind for event in events}
    assert SCHOOL not in _prompt(home)
    events = await _answer(trials, replace(PLAIN, file_ids=frozenset()))
    assert events[0].data == {"passages": []}


async def test_where_nothing_is_found_that_is_told(home: Home, trials: TrialService) -> None:
    await home.put("ana", HOUSE, vector=FAR)
    events = await _answer(trials)
    assert (events[0].kind, events[0].data) == ("sources", {"passages": []})


async def test_memories_of_whoever_tries_it_are_used(home: Home, trials: TrialService) -> None:
    await home.service.remember("ana", "The shed is green")
    await home.service.remember("ben", "The bike is red")
    await _answer(trials)
    assert "The shed is green" in _prompt(home)
    assert "The bike is red" not in _prompt(home)


async def test_usual_model_answers_where_its_own_is_not_on_the_box(
    home: Home, trials: TrialService
) -> None:
    home.models.absent.add("large")
    await _answer(trials, Tried(Setting(model_id="large")))
    assert home.room.engine.requests[-1].model_id == "small"
    with pytest.raises(NotFound):
        await trials.answer("ana", Tried(Setting(model_id="nobody")), ASKED)


@pytest.mark.parametrize(
    "turns",
    [
        (),
        (Turn("assistant", "Hello"),),
        (Turn("user", "Hi"), Turn("assistant", "Hello")),
        (Turn("user", "Hi"), Turn("user", "Hi"), Turn("user", "Hi")),
        (Turn("user", " \n"),),
        (Turn("user", "\ud800"),),
    ],
)
async def test_talk_that_is_none_is_refused(trials: TrialService, turns: Sequence[Turn]) -> None:
    with pytest.raises(InvalidInput):
        await trials.answer("ana", PLAIN, turns)


async def test_what_went_wrong_is_told_at_the_end(home: Home, trials: TrialService) -> None:
    home.room.engine.plays(Delta("The", 1), EngineStopped("The model stopped."))
    events = await _answer(trials)
    assert [event.kind for event in events] == ["delta", "error"]
    assert events[-1].data["retriable"] is True
    assert (await _answer(trials))[-1].kind == "done"


async def test_whoever_leaves_ends_the_answer(home: Home, trials: TrialService) -> None:
    home.room.engine.plays(*said("The ", "rest"))
    events = await trials.answer("ana", PLAIN, ASKED)
    assert (await anext(events)).data == {"text": "The "}
    await _left(events)
    assert home.room.engine.closed == [home.room.engine.requests[0].request_id]
    assert home.room.engine.active == 0


async def test_one_person_has_few_at_once_and_others_theirs(
    home: Home, trials: TrialService
) -> None:
    goes_on = asyncio.Event()
    begun = []
    for _ in range(PER_PERSON):
        home.room.engine.plays(Delta("The", 1), goes_on, *said(" end"))
        begun.append(await trials.answer("ana", PLAIN, ASKED))
        await anext(begun[-1])
    with pytest.raises(QueueFull):
        await trials.answer("ana", PLAIN, ASKED)
    assert [event async for event in await trials.answer("ben", PLAIN, ASKED)][-1].kind == "done"
    await _left(begun.pop())
    assert (await _answer(trials))[-1].kind == "done"
    await _left(begun.pop())


async def _left(events: AsyncIterator[Event]) -> None:
    assert isinstance(events, AsyncGenerator)
    await events.aclose()
