"""A conversation with documents only grows: what was found for a question stays with it."""

from allerac.engine.protocol import PromptMessage

from .conftest import Home

TOLD = "The boiler is serviced in March."
LATER = "The timetable changes in May."


async def _next(home: Home, conversation_id: str, text: str) -> tuple[PromptMessage, ...]:
    """Ask below the newest answer; returns what the model reads."""
    page = await home.chat.list_messages("ana", conversation_id)
    answers = [row.id for row in page.items if row.role == "assistant"]
    sent = await home.chat.send(
        "ana",
        conversation_id,
        content=text,
        parent_id=answers[-1] if answers else None,
        client_id=text,
    )
    async for _ in await home.chat.open_events("ana", sent.answer.id, 0):
        pass
    asked = [r for r in home.room.engine.requests if r.request_id == sent.answer.id]
    return asked[-1].messages


async def test_each_question_is_asked_behind_all_that_was_read_for_those_before(
    home: Home,
) -> None:
    await home.put("ana", TOLD)
    conversation_id = await home.conversation("ana")
    first = await _next(home, conversation_id, "When is the boiler serviced?")
    assert TOLD in first[-1].content
    await home.put("ana", LATER)
    second = await _next(home, conversation_id, "And the timetable?")
    third = await _next(home, conversation_id, "Thank you!")
    assert second[: len(first)] == first
    assert third[: len(second)] == second
    assert second[len(first)] == PromptMessage("assistant", "Hello.")
    assert LATER in second[-1].content
