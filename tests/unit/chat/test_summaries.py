"""A full context is summarised in idle time, visibly; without a summary the beginning goes."""

import asyncio
import json

import pytest

from allerac.chat.prompt import RECALL
from allerac.engine.protocol import Delta, Finished, GenerationRequest, PromptMessage, Usage
from allerac.errors import EngineStopped, InvalidInput
from allerac.storage.conversations import MessageRecord
from tests.chat_room import Room
from tests.fakes import Step, said

SUMMARY = "The boiler is serviced by Miller; tea was chosen."


def _usage(prompt_tokens: int) -> Usage:
    return Usage(prompt_tokens, 0, 5, 0.1, 10.0)


def _words(name: str, count: int) -> str:
    return f"{name} " + "word " * (count - 1)


async def _exchange(
    room: Room, conversation_id: str, name: str, words: int, parent: str | None, used: int
) -> str:
    """Ask a question of `words` words; the answer's prompt has `used` tokens."""
    room.engine.plays(*said(f"Answer to {name}.", usage=_usage(used)))
    text = _words(name, words)
    sent = await room.say(conversation_id, text, parent_id=parent)
    await room.ended(sent.answer.id)
    return sent.answer.id


async def _conversation(room: Room) -> str:
    """Start one that has a title, so that nobody asks the model for it."""
    conversation_id = await room.conversation()
    await room.chat.update_conversation(room.ana, conversation_id, title="Tea")
    return conversation_id


async def _full(room: Room, *steps: Step) -> tuple[str, str]:
    """Fill three quarters of the context; the model answers to the wish for a summary `steps`."""
    conversation_id = await _conversation(room)
    first = await _exchange(room, conversation_id, "first", 300, None, 310)
    second = await _exchange(room, conversation_id, "second", 300, first, 620)
    if steps:
        room.engine.plays(*said("Answer to third.", usage=_usage(820)))
        room.engine.plays(*steps)
        sent = await room.say(conversation_id, _words("third", 200), parent_id=second)
        await room.ended(sent.answer.id)
        return conversation_id, sent.answer.id
    return conversation_id, await _exchange(room, conversation_id, "third", 200, second, 820)


async def _messages(room: Room, conversation_id: str) -> list[MessageRecord]:
    return (await room.chat.list_messages(room.ana, conversation_id)).items


def _prompt(room: Room, answer_id: str) -> tuple[PromptMessage, ...]:
    """Return what the engine read for an answer, whatever it was asked in idle time since."""
    (request,) = (r for r in room.engine.requests if r.request_id == answer_id)
    return request.messages


async def _asked(room: Room, what: str, count: int = 1) -> list[GenerationRequest]:
    """Return what was asked of the engine in idle time, once it has been so `count` times."""
    async with asyncio.timeout(20):
        while True:
            asked = [r for r in room.engine.requests if r.request_id.startswith(f"{what}-")]
            if len(asked) >= count:
                return asked
            await asyncio.sleep(0)


async def _summarised(room: Room, conversation_id: str) -> MessageRecord:
    """Return the message with the summary, once the next prompt has been read ahead."""
    await _asked(room, "reading")
    async with asyncio.timeout(20):
        while room.engine.active:  # noqa: ASYNC110 - the fake has no event to wait on
            await asyncio.sleep(0)
    return next(m for m in await _messages(room, conversation_id) if m.summary is not None)


async def test_older_turns_are_summarised_once_the_context_is_full(room: Room) -> None:
    conversation_id, last = await _full(room, *said(SUMMARY))
    marked = await _summarised(room, conversation_id)
    messages = await _messages(room, conversation_id)
    assert marked.summary is not None
    assert (marked.id, marked.summary.from_id) == (messages[3].id, messages[0].id)
    assert (marked.summary.content, marked.summary.message_count) == (SUMMARY, 4)
    (request,) = await _asked(room, "summary")
    answered = room.engine.requests[1].messages
    assert request.messages[: len(answered)] == answered, "read from memory, not again"
    assert [m.role for m in request.messages] == ["system", *["user", "assistant"] * 2, "user"]

    gauge = (await room.chat.get_conversation(room.ana, conversation_id)).context
    assert (gauge.summarised_messages, gauge.summarised_until_id) == (4, marked.id)
    assert gauge.used_tokens < 300
    fourth = await _exchange(room, conversation_id, "fourth", 10, last, 280)
    prompt = _prompt(room, fourth)
    assert [message.content for message in prompt[1:3]] == [RECALL, SUMMARY]
    assert [m.content.split()[0] for m in prompt[3:]] == ["third", "Answer", "fourth"]
    (ahead,) = await _asked(room, "reading")
    assert prompt[:-1] == ahead.messages, "nobody waits for what was read ahead"
    assert (ahead.priority, ahead.sampling.max_tokens) == ("background", 1)


async def test_a_summary_of_a_summary_covers_both(room: Room) -> None:
    conversation_id, third = await _full(room, *said(SUMMARY))
    await _summarised(room, conversation_id)
    fourth = await _exchange(room, conversation_id, "fourth", 300, third, 520)
    room.engine.plays(*said("Answer to fifth.", usage=_usage(800)))
    room.engine.plays(*said("All in all: tea."))
    sent = await room.say(conversation_id, _words("fifth", 250), parent_id=fourth)
    await room.ended(sent.answer.id)
    request = (await _asked(room, "summary", 2))[1]
    assert [m.content for m in request.messages[1:3]] == [RECALL, SUMMARY]
    async with asyncio.timeout(20):
        while True:
            messages = await _messages(room, conversation_id)
            counts = [m.summary.message_count for m in messages if m.summary]
            if counts == [4, 8]:
                break
    assert messages[7].summary is not None
    assert messages[7].summary.from_id == messages[0].id


async def test_an_edit_above_the_covered_turn_reads_what_was_written(room: Room) -> None:
    conversation_id, _ = await _full(room, *said(SUMMARY))
    await _summarised(room, conversation_id)
    first = (await _messages(room, conversation_id))[1]
    second = await _exchange(room, conversation_id, "second, better", 10, first.id, 330)
    read = [message.content for message in _prompt(room, second)[1:]]
    assert [text.split()[0] for text in read] == ["first", "Answer", "second,"]
    gauge = (await room.chat.get_conversation(room.ana, conversation_id)).context
    assert gauge.summarised_messages == 0


@pytest.mark.parametrize(
    "steps",
    [
        said("  \n"),
        said("I do not know."),
        said("far too long " * 600),
        (Delta("It was cut", 1), Finished("length", _usage(700))),
        (Delta("It bro", 1), EngineStopped("Gone.")),
    ],
)
async def test_without_a_summary_the_beginning_is_left_out_with_the_mark(
    room: Room, steps: tuple[Step, ...]
) -> None:
    conversation_id, third = await _full(room, *steps)
    await _asked(room, "summary")
    fourth = await _exchange(room, conversation_id, "fourth", 200, third, 700)
    messages = await _messages(room, conversation_id)
    assert all(message.summary is None for message in messages)
    detail = await room.chat.get_conversation(room.ana, conversation_id)
    assert (detail.context_from_id, detail.leaf_id) == (messages[2].id, fourth)
    assert detail.context.left_out_messages == 2
    assert [m.content.split()[0] for m in _prompt(room, fourth)[1::2]] == [
        "second",
        "third",
        "fourth",
    ]


async def test_a_message_goes_before_the_summary_of_its_conversation(room: Room) -> None:
    conversation_id, third = await _full(room, Delta("The boi", 1), asyncio.Event())
    (request,) = await _asked(room, "summary")
    fourth = await _exchange(room, conversation_id, "fourth", 10, third, 640)
    assert request.request_id in room.engine.closed
    row = await room.store.message(room.ana, fourth)
    assert row.status == "complete"
    assert all(message.summary is None for message in await _messages(room, conversation_id))


async def test_a_message_elsewhere_only_delays_a_summary(room: Room) -> None:
    conversation_id, _ = await _full(room, Delta("The boi", 1), asyncio.Event())
    (request,) = await _asked(room, "summary")
    room.engine.plays(*said("Hi."))
    room.engine.plays(*said(SUMMARY))
    other = await room.say(await _conversation(room), "Hello")
    assert (await room.ended(other.answer.id)).content == "Hi."
    assert (await _summarised(room, conversation_id)).summary is not None
    assert room.engine.closed == [request.request_id]


async def test_deleting_or_stopping_gives_a_summary_up(room: Room) -> None:
    conversation_id, third = await _full(room, Delta("The boi", 1), asyncio.Event())
    await _asked(room, "summary")
    await room.chat.stop_generation(room.ana, third)
    await room.chat.delete_conversation(room.ana, conversation_id)
    await room.chat.stop()
    assert len(room.engine.closed) == 1


async def test_a_question_that_is_too_long_by_itself_moves_no_mark(room: Room) -> None:
    conversation_id = await _conversation(room)
    first = await _exchange(room, conversation_id, "first", 300, None, 310)
    endless = await _exchange(room, conversation_id, "endless", 2000, first, 2310)
    detail = await room.chat.get_conversation(room.ana, conversation_id)
    assert detail.context_from_id is None
    assert len(_prompt(room, endless)) == 4, "the engine refuses, in words"


async def test_the_draft_is_measured_with_all_that_it_would_change(room: Room) -> None:
    conversation_id, _ = await _full(room, EngineStopped("Gone."))
    measure = room.chat.measure_draft
    none = await measure(room.ana, conversation_id, "")
    assert (none.draft_tokens, none.limit_tokens, none.is_estimate) == (0, 1000, False)
    assert none.to_summarise_messages == 4
    short = await measure(room.ana, conversation_id, "And with milk?")
    assert (short.used_tokens, short.draft_tokens) == (none.used_tokens, 3)
    assert (short.fits, short.left_out_messages) == (True, 0)
    long = await measure(room.ana, conversation_id, _words("long", 300))
    assert (long.fits, long.left_out_messages) == (True, 2)
    endless = await measure(room.ana, conversation_id, _words("endless", 1200))
    assert (endless.fits, endless.left_out_messages) == (False, 0)


async def test_an_engine_that_does_not_answer_leaves_an_estimate_that_says_so(room: Room) -> None:
    conversation_id = await _conversation(room)
    room.engine.count_failure = EngineStopped("Gone.")
    gauge = await room.chat.measure_draft(room.ana, conversation_id, "And with milk?")
    assert gauge.is_estimate
    assert 0 < gauge.draft_tokens < 10
    room.engine.count_failure = InvalidInput("The template refuses.")
    assert (await room.chat.measure_draft(room.ana, conversation_id, "x" * 900)).is_estimate


async def test_an_export_has_the_summary(room: Room) -> None:
    conversation_id, _ = await _full(room, *said(SUMMARY))
    await _summarised(room, conversation_id)
    tree = json.loads((await room.chat.export(room.ana, conversation_id, "json")).body)
    assert tree["messages"][3]["summary"]["content"] == SUMMARY
