"""Which model answers for an assistant that asks for one."""

import pytest

from allerac.errors import Conflict

from .conftest import Home

LARGE = "large"


@pytest.fixture(autouse=True)
def _a_large_model_that_is_not_here(home: Home) -> None:
    home.models.absent.add(LARGE)


async def _under(home: Home, assistant_id: str) -> str:
    """Return a conversation with this assistant, which has what the API gives it."""
    conversation_id = await home.conversation("ana", assistant_id)
    await home.chat.update_conversation("ana", conversation_id, model_id=LARGE)
    return conversation_id


async def test_household_s_model_answers_where_the_assistant_s_cannot(home: Home) -> None:
    conversation_id = await _under(home, await home.assistant("ana", model_id=LARGE))
    assert (await home.asked("ana", conversation_id)).model_id == "small"
    (_, answer) = (await home.chat.list_messages("ana", conversation_id)).items
    assert (answer.status, answer.model_id) == ("complete", "small")
    again = await home.chat.regenerate("ana", answer.id)
    assert again.model_id == "small"


async def test_model_that_a_person_chose_is_not_quietly_another(home: Home) -> None:
    conversation_id = await _under(home, await home.assistant("ana"))
    sent = await home.chat.send(
        "ana", conversation_id, content="Hello", parent_id=None, client_id="1"
    )
    events = [event async for event in await home.chat.open_events("ana", sent.answer.id, 0)]
    assert (events[-1].kind, events[-1].data["code"]) == ("error", Conflict.code)
    assert home.room.engine.requests == []
