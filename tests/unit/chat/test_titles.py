"""Titles come when nobody waits, and are worth showing or are not used."""

import asyncio

import pytest

from allerac.chat.titles import MAX_CHARACTERS, REQUEST, clean_title, first_words
from allerac.engine.protocol import Delta
from allerac.errors import EngineStopped
from tests.chat_room import Room
from tests.fakes import Step, said


async def _title(room: Room, conversation_id: str) -> str:
    async with asyncio.timeout(20):
        while True:
            title = (await room.store.get(room.ana, conversation_id)).title
            if title is not None:
                return title


@pytest.mark.parametrize(
    ("steps", "title"),
    [
        (said('"Boiler ', 'service"\n'), "Boiler service"),
        (said("I do not know."), "Who services the boiler"),
        (said("\n"), "Who services the boiler"),
        ((Delta("Boi", 1), EngineStopped("Gone.")), "Who services the boiler"),
    ],
)
async def test_a_title_follows_the_first_complete_answer(
    room: Room, steps: tuple[Step, ...], title: str
) -> None:
    room.engine.plays(*said("Miller."))
    room.engine.plays(*steps)
    conversation_id = await room.conversation()
    await room.ended((await room.say(conversation_id, "Who services the boiler?")).answer.id)
    assert await _title(room, conversation_id) == title
    answered, titled = room.engine.requests
    assert titled.priority == "background"
    assert titled.messages[: len(answered.messages)] == answered.messages
    assert [m.content for m in titled.messages[-2:]] == ["Miller.", REQUEST]


async def test_a_title_waits_for_every_chat(room: Room) -> None:
    gate = asyncio.Event()
    room.engine.plays(Delta("Wait", 1), gate, *said("."))
    busy = await room.say(await room.conversation(), "A long story")
    conversation_id = await room.conversation()
    await room.ended((await room.say(conversation_id, "Hello there")).answer.id)
    assert [request.priority for request in room.engine.requests] == ["interactive"] * 2
    assert (await room.store.get(room.ana, conversation_id)).title is None
    gate.set()
    await room.ended(busy.answer.id)
    assert await _title(room, conversation_id) == "Hello"


def test_a_title_is_one_short_line() -> None:
    assert clean_title("Title: **Tea for two**\nand more") == "Tea for two"
    assert len(clean_title("word " * 40)) <= MAX_CHARACTERS
    assert clean_title(" \n\n") == ""


def test_the_first_words_are_those_of_the_question() -> None:
    assert first_words("[1] A passage.\n\nWho is it?") == "Who is it"
    assert first_words("") == "Conversation"
