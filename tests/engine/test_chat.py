"""The chat over the real engine: what is said comes from the model, and a kill costs one answer."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from allerac.chat import ChatService
from allerac.chat.prompt import RECALL
from allerac.engine.supervisor import EngineSupervisor
from allerac.events import EventLogs
from tests.chat_room import Room, open_room
from tests.engine.asking import GREEDY, PASSWORD, end_of, events_of, request
from tests.fakes import FakeModels

CIRCULAR = (
    "You are Allerac, a helpful assistant in this household. Answer briefly. "
    "If the documents do not say it, say that you do not know."
)
"""With these words the model answers a certain greeting without end."""


class DemoModels(FakeModels):
    """The demonstration model, which is loaded and answers best without chance."""

    async def default_model_id(self) -> str:
        return "demo"

    async def ensure_loaded(self, model_id: str) -> None:
        assert model_id == "demo"

    def is_greedy(self, model_id: str) -> bool:
        return True


@pytest.fixture
async def room(engine: EngineSupervisor, tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(tmp_path) as opened:
        chat = ChatService(store=opened.store, engine=engine, models=DemoModels(), logs=EventLogs())
        yield Room(opened.database, opened.store, opened.engine, chat)
        await chat.stop()


async def test_an_answer_comes_from_the_passage_in_the_message(room: Room) -> None:
    sent = await room.say(await room.conversation(), PASSWORD)
    row = await room.ended(sent.answer.id)
    assert row.status == "complete"
    assert "blue-otter-42" in row.content
    assert row.usage is not None
    assert row.usage["completion_tokens"] > 0


async def test_answer_that_goes_in_circles_is_cut_and_keeps_the_mark(
    room: Room, engine: EngineSupervisor
) -> None:
    chat = ChatService(
        store=room.store,
        engine=engine,
        models=DemoModels(),
        logs=EventLogs(),
        instructions=CIRCULAR,
    )
    circling = replace(room, chat=chat)
    sent = await circling.say(await circling.conversation(), "Hello again")
    row = await circling.ended(sent.answer.id)
    await chat.stop()
    assert row.status == "complete"
    assert row.usage is not None
    assert row.usage["finish_reason"] in ("length", "repetition")
    assert row.usage["completion_tokens"] <= 160


async def test_killing_the_engine_costs_at_most_the_answer_under_way(
    room: Room, engine: EngineSupervisor
) -> None:
    conversation_id = await room.conversation()
    sent = await room.say(conversation_id, PASSWORD)
    watching = await room.chat.open_events(room.ana, sent.answer.id, 0)
    async for event in watching:
        if event.kind == "delta":
            break
    pid = engine.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    last = [event async for event in watching][-1]
    assert last.kind == "done" or last.data["code"] == "engine_stopped"
    async with asyncio.timeout(30):
        again = await room.say(conversation_id, PASSWORD, client_id="again")
        row = await room.ended(again.answer.id)
    assert "blue-otter-42" in row.content


async def test_the_gauge_tells_what_the_model_is_going_to_read(room: Room) -> None:
    conversation_id = await room.conversation()
    first = await room.say(conversation_id, PASSWORD)
    await room.ended(first.answer.id)
    draft = "And what is the garage code?"
    gauge = await room.chat.measure_draft(room.ana, conversation_id, draft)
    sent = await room.say(conversation_id, draft, parent_id=first.answer.id)
    row = await room.ended(sent.answer.id)
    assert row.usage is not None
    assert not gauge.is_estimate
    assert gauge.limit_tokens == 1024
    assert gauge.used_tokens + gauge.draft_tokens == row.usage["prompt_tokens"]


async def test_a_conversation_that_outgrows_the_context_goes_on_with_a_mark(room: Room) -> None:
    conversation_id, parent = await room.conversation(), None
    passage = " ".join(f"The code of locker {number} is {number}42." for number in range(14))
    for turn in range(8):
        text = f"Turn {turn}. {passage} {PASSWORD}"
        sent = await room.say(conversation_id, text, parent_id=parent)
        row = await room.ended(sent.answer.id)
        assert row.status == "complete", row.error
        parent = row.id
    detail = await room.chat.get_conversation(room.ana, conversation_id)
    messages = (await room.chat.list_messages(room.ana, conversation_id)).items
    assert detail.context_from_id or any(message.summary for message in messages)
    assert detail.context.used_tokens < detail.context.limit_tokens


async def test_what_is_read_ahead_is_not_read_again(engine: EngineSupervisor) -> None:
    passage = "The alarm code is 7391. The garage code is 2846. " * 8
    said = (RECALL, passage, "Who services the boiler?", "I do not know.")
    ahead = request(*said, sampling=replace(GREEDY, max_tokens=1), priority="background")
    read = end_of(await events_of(engine, ahead)).usage
    asked = end_of(await events_of(engine, request(*said, "What is the garage code?"))).usage
    assert asked.cached_tokens > 0.9 * read.prompt_tokens
