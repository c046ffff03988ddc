"""Answers belong to the server: sent once, followed from anywhere, private to one person."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from allerac.engine.protocol import Delta, Queued
from allerac.errors import (
    AlleracError,
    Conflict,
    ContextTooLong,
    EngineStopped,
    InvalidInput,
    NotFound,
    PayloadTooLarge,
    QueueFull,
)
from allerac.events import Event
from tests.chat_room import Room
from tests.fakes import said


def _shown(text: str, events: list[Event]) -> str:
    """What a client shows that had `text` and then sees `events`."""
    for event in events:
        if event.kind == "snapshot":
            text = event.data["text"]
        elif event.kind == "delta":
            text += event.data["text"]
    return text


async def test_an_answer_streams_and_is_stored_whole_before_done_is_told(room: Room) -> None:
    room.engine.plays(*said("Good ", "evening."))
    sent = await room.say(await room.conversation(), "Hello")
    assert (sent.answer.status, sent.answer.content) == ("streaming", "")
    async for event in await room.chat.open_events(room.ana, sent.answer.id, 0):
        if event.kind == "done":
            row = await room.store.message(room.ana, sent.answer.id)
            assert (row.status, row.content) == ("complete", "Good evening.")
            assert event.data["usage"] == row.usage


async def test_a_client_that_returns_at_any_event_shows_the_same_text(room: Room) -> None:
    texts = [f"word{number} " for number in range(20)]
    room.engine.plays(Queued(1, None), *said(*texts))
    sent = await room.say(await room.conversation(), "Tell me")
    everything = await room.events(sent.answer.id)
    for position in range(len(everything) + 1):
        before = _shown("", everything[:position])
        after = await room.events(
            sent.answer.id, everything[position - 1].sequence * (position > 0)
        )
        assert _shown(before, after) == "".join(texts)


async def test_a_reload_in_mid_answer_goes_on_from_the_stored_text(room: Room) -> None:
    gate = asyncio.Event()
    room.engine.plays(Delta("Half ", 1), gate, *said("and half."))
    sent = await room.say(await room.conversation(), "Tell me")
    row = sent.answer
    async with asyncio.timeout(10):
        while not row.content:
            row = await room.store.message(room.ana, sent.answer.id)
    gate.set()
    assert _shown(row.content, await room.events(sent.answer.id, row.sequence)) == "Half and half."


@pytest.mark.parametrize("after", range(6))
async def test_an_answer_whose_log_is_gone_is_told_from_its_row(room: Room, after: int) -> None:
    room.engine.plays(*said("One ", "two ", "three."))
    sent = await room.say(await room.conversation(), "Count")
    before = _shown("", [e for e in await room.events(sent.answer.id) if e.sequence <= after])
    restarted = room.restarted()
    events = [event async for event in await restarted.open_events(room.ana, sent.answer.id, after)]
    assert _shown(before, events) == "One two three."


async def test_another_device_stops_an_answer_and_what_was_said_stays(room: Room) -> None:
    room.engine.plays(Delta("As I was saying", 1), asyncio.Event())
    sent = await room.say(await room.conversation(), "Tell me")
    watching = await room.chat.open_events(room.ana, sent.answer.id, 0)
    assert (await anext(watching)).data == {"text": "As I was saying"}
    await room.chat.stop_generation(room.ana, sent.answer.id)
    assert [event.kind async for event in watching] == ["done"]
    row = await room.ended(sent.answer.id)
    assert (row.status, row.content) == ("stopped", "As I was saying")
    assert room.engine.closed == [sent.answer.id]


async def test_an_answer_stops_while_it_waits_in_line(room: Room) -> None:
    room.engine.plays(Queued(2, 20.0), asyncio.Event())
    sent = await room.say(await room.conversation(), "Tell me")
    watching = await room.chat.open_events(room.ana, sent.answer.id, 0)
    assert (await anext(watching)).kind == "queued"
    await room.chat.stop_generation(room.ana, sent.answer.id)
    assert (await room.ended(sent.answer.id)).status == "stopped"


async def test_an_answer_that_was_stopped_can_be_followed_up_at_once(room: Room) -> None:
    room.engine.plays(Delta("Well", 1), asyncio.Event())
    conversation_id = await room.conversation()
    sent = await room.say(conversation_id, "Tell me")
    await room.chat.stop_generation(room.ana, sent.answer.id)
    again = await room.say(conversation_id, "Shorter", parent_id=sent.answer.id)
    assert (await room.ended(again.answer.id)).status == "complete"


async def test_the_same_client_id_is_one_message_also_when_sent_at_once(room: Room) -> None:
    conversation_id = await room.conversation()
    sent = await asyncio.gather(*(room.say(conversation_id, "Hello") for _ in range(4)))
    assert len({one.message.id for one in sent}) == len({one.answer.id for one in sent}) == 1
    await room.ended(sent[0].answer.id)
    assert (await room.say(conversation_id, "Hello")).answer.content == "Hello."
    assert len((await room.chat.list_messages(room.ana, conversation_id)).items) == 2


@pytest.mark.parametrize("content", ["", " \n\t ", "half a character \ud800"])
async def test_a_message_that_is_no_text_is_refused(room: Room, content: str) -> None:
    with pytest.raises(InvalidInput):
        await room.say(await room.conversation(), content)


async def test_ten_million_characters_are_refused_and_one_million_are_kept(room: Room) -> None:
    conversation_id = await room.conversation()
    with pytest.raises(PayloadTooLarge):
        await room.say(conversation_id, "a" * 10_000_000)
    sent = await room.say(conversation_id, "b" * 1_000_000)
    row = await room.store.message(room.ana, sent.message.id)
    assert len(row.content) == 1_000_000
    await room.ended(sent.answer.id)


async def test_an_unknown_model_is_refused_before_anything_is_kept(room: Room) -> None:
    conversation = await room.conversation()
    with pytest.raises(NotFound):
        await room.say(conversation, "Hello", model_id="huge")
    assert (await room.chat.list_messages(room.ana, conversation)).items == []


async def test_a_model_that_was_removed_ends_the_answer_with_an_error_that_says_so(
    room: Room,
) -> None:
    conversation = await room.conversation()
    await room.store.update(room.ana, conversation, {"model_id": "removed"})
    sent = await room.say(conversation, "Hello")
    (error,) = await room.events(sent.answer.id)
    assert (error.kind, error.data["code"]) == ("error", "not_found")
    assert (await room.ended(sent.answer.id)).status == "failed"


@pytest.mark.parametrize(
    ("failure", "code", "retriable"),
    [
        (EngineStopped("The model stopped working.", hint="Ask again."), "engine_stopped", True),
        (ContextTooLong(2000, 1000), "context_length_exceeded", False),
        (RuntimeError("a fault of ours"), "internal_error", True),
    ],
)
async def test_a_failure_keeps_the_text_and_says_what_to_do(
    room: Room, failure: Exception, code: str, retriable: bool
) -> None:
    room.engine.plays(Delta("So far", 1), failure)
    sent = await room.say(await room.conversation(), "Tell me")
    error = (await room.events(sent.answer.id))[-1]
    assert (error.kind, error.data["code"], error.data["retriable"]) == ("error", code, retriable)
    assert error.data["hint"]
    row = await room.ended(sent.answer.id)
    assert (row.status, row.content) == ("failed", "So far")


async def test_an_edit_is_a_branch_that_does_not_read_its_sibling(room: Room) -> None:
    conversation_id = await room.conversation()
    first = await room.say(conversation_id, "First")
    await room.ended(first.answer.id)
    second = await room.say(conversation_id, "Second", parent_id=first.answer.id)
    await room.ended(second.answer.id)
    edited = await room.say(conversation_id, "Second, better", parent_id=first.answer.id)
    await room.ended(edited.answer.id)
    request = next(r for r in room.engine.requests if r.request_id == edited.answer.id)
    asked = [message.content for message in request.messages[1:]]
    questions = [text for text in asked if text in {"First", "Second", "Second, better"}]
    assert "Second" not in questions
    assert (await room.chat.get_conversation(room.ana, conversation_id)).leaf_id == edited.answer.id


async def test_regenerating_adds_a_sibling_of_the_answer(room: Room) -> None:
    sent = await room.say(await room.conversation(), "Hello")
    await room.ended(sent.answer.id)
    other = await room.chat.regenerate(room.ana, sent.answer.id)
    assert (other.parent_id, other.id != sent.answer.id) == (sent.message.id, True)
    assert (await room.ended(other.id)).status == "complete"
    with pytest.raises(Conflict):
        await room.chat.regenerate(room.ana, sent.message.id)


async def test_a_message_follows_an_answer_that_has_ended(room: Room) -> None:
    conversation_id = await room.conversation()
    room.engine.plays(Delta("Well", 1), asyncio.Event())
    sent = await room.say(conversation_id, "Tell me")
    with pytest.raises(Conflict):
        await room.say(conversation_id, "Too early", parent_id=sent.answer.id)
    with pytest.raises(InvalidInput):
        await room.say(conversation_id, "Below a question", parent_id=sent.message.id)


async def test_an_answer_without_text_keeps_its_turn_in_the_prompt(room: Room) -> None:
    """Templates of some models refuse two questions in a row."""
    conversation_id = await room.conversation()
    room.engine.plays(EngineStopped("Gone."))
    sent = await room.say(conversation_id, "First")
    await room.ended(sent.answer.id)
    again = await room.say(conversation_id, "Second", parent_id=sent.answer.id)
    await room.ended(again.answer.id)
    roles = [message.role for message in room.engine.requests[1].messages]
    assert roles == ["system", "user", "assistant", "user"]


async def test_nothing_is_read_from_before_the_visible_cut(room: Room) -> None:
    conversation_id = await room.conversation()
    parent_id = None
    for text in ("First", "Second", "Third"):
        sent = await room.say(conversation_id, text, parent_id=parent_id)
        await room.ended(sent.answer.id)
        parent_id = sent.answer.id
        if text == "Second":
            await room.chat.update_conversation(
                room.ana, conversation_id, context_from_id=sent.message.id
            )
    last = next(r for r in reversed(room.engine.requests) if r.priority == "interactive")
    assert [m.content for m in last.messages[1:]] == ["Second", "Hello.", "Third"]


async def test_one_person_may_have_four_answers_under_way(room: Room) -> None:
    for number in range(4):
        room.engine.plays(asyncio.Event())
        await room.say(await room.conversation(), f"Question {number}")
    with pytest.raises(QueueFull):
        await room.say(await room.conversation(), "One too many")


async def test_stopping_the_service_stores_what_was_said_as_interrupted(room: Room) -> None:
    room.engine.plays(Delta("Half", 1), asyncio.Event())
    sent = await room.say(await room.conversation(), "Tell me")
    watching = await room.chat.open_events(room.ana, sent.answer.id, 0)
    await anext(watching)
    await room.chat.stop()
    assert (await anext(watching)).data["code"] == "interrupted"
    row = await room.store.message(room.ana, sent.answer.id)
    assert (row.status, row.content) == ("interrupted", "Half")


async def test_after_a_crash_an_answer_is_interrupted_and_told_from_its_row(room: Room) -> None:
    conversation_id = await room.conversation()
    _, answer, _ = await room.store.send(
        room.ana, conversation_id, content="Hi", parent_id=None, client_id="1", model_id="small"
    )
    await room.chat.start(datetime.now(UTC))
    for after in (0, 1, 50):
        events = await room.events(answer.id, after)
        assert [event.kind for event in events] == ["snapshot", "error"]
    again = await room.say(conversation_id, "Hi", client_id="1")
    assert (again.answer.id, again.answer.status) == (answer.id, "interrupted")


async def test_another_person_finds_nothing(room: Room) -> None:
    conversation_id = await room.conversation()
    sent = await room.say(conversation_id, "Private words")
    await room.ended(sent.answer.id)
    chat, ben = room.chat, room.ben
    attempts = [
        chat.get_conversation(ben, conversation_id),
        chat.update_conversation(ben, conversation_id, title="Mine"),
        chat.delete_conversation(ben, conversation_id),
        chat.restore_conversation(ben, conversation_id),
        chat.list_messages(ben, conversation_id),
        chat.send(ben, conversation_id, content="Hi", parent_id=None, client_id="1"),
        chat.regenerate(ben, sent.answer.id),
        chat.rate(ben, sent.answer.id, "up"),
        chat.stop_generation(ben, sent.answer.id),
        chat.open_events(ben, sent.answer.id, 0),
        chat.export(ben, conversation_id, "markdown"),
    ]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert {type(result) for result in results} == {NotFound}
    assert (await chat.list_conversations(ben)).items == []
    assert (await chat.list_conversations(ben, query="private")).items == []


async def test_deleting_stops_the_answer_and_can_be_undone_for_thirty_days(room: Room) -> None:
    room.engine.plays(Delta("Half", 1), asyncio.Event())
    conversation_id = await room.conversation()
    sent = await room.say(conversation_id, "Tell me")
    watching = await room.chat.open_events(room.ana, sent.answer.id, 0)
    await room.chat.delete_conversation(room.ana, conversation_id)
    assert [event.kind async for event in watching][-1] == "done"
    with pytest.raises(NotFound):
        await room.chat.get_conversation(room.ana, conversation_id)
    today = datetime.now(UTC)
    await room.chat.start(today + timedelta(days=29))
    await room.chat.restore_conversation(room.ana, conversation_id)
    await room.chat.delete_conversation(room.ana, conversation_id)
    await room.chat.start(today + timedelta(days=31))
    with pytest.raises(AlleracError):
        await room.chat.restore_conversation(room.ana, conversation_id)


async def test_export_has_the_branch_as_markdown_and_the_tree_as_json(room: Room) -> None:
    conversation_id = await room.conversation()
    await room.chat.update_conversation(room.ana, conversation_id, title='Über "tea"/../x')
    sent = await room.say(conversation_id, "Hello")
    await room.ended(sent.answer.id)
    await room.ended((await room.chat.regenerate(room.ana, sent.answer.id)).id)
    markdown = await room.chat.export(room.ana, conversation_id, "markdown")
    assert markdown.filename == "uber-tea-x.md"
    assert markdown.body.count("Hello.") == 1
    tree = await room.chat.export(room.ana, conversation_id, "json")
    assert tree.body.count('"role": "assistant"') == 2
