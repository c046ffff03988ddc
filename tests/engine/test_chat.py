"""The chat over the real engine: what is said comes from the model, and a kill costs one answer."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from allerac.chat import ChatService
from allerac.engine.supervisor import EngineSupervisor
from allerac.events import EventLogs
from tests.chat_room import Room, open_room
from tests.engine.asking import PASSWORD
from tests.fakes import FakeModels


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
