"""Where the documents say nothing, that is told, and the model may answer from what it knows."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import update

from allerac.storage.tables import person

from .conftest import FAR, NEAR, Home

TEXT = "The boiler is serviced in March."


async def _told(home: Home, conversation_id: str) -> list[Mapping[str, Any]]:
    sent = await home.chat.send(
        "ana", conversation_id, content="Tell me", parent_id=None, client_id="1"
    )
    events = await home.chat.open_events("ana", sent.answer.id, 0)
    return [event.data async for event in events if event.kind == "sources"]


@pytest.mark.parametrize(("vector", "found"), [(NEAR, 1), (FAR, 0)])
async def test_what_was_found_is_told_also_where_it_is_nothing(
    home: Home, vector: bytes, found: int
) -> None:
    await home.put("ana", TEXT, vector=vector)
    (told,) = await _told(home, await home.conversation("ana"))
    assert len(told["passages"]) == found
    prompt = "".join(message.content for message in home.room.engine.requests[0].messages)
    assert (TEXT in prompt) is ("do not know" in prompt) is bool(found)


async def test_nothing_is_told_where_nothing_was_searched(home: Home) -> None:
    await home.put("ana", TEXT)
    assert await _told(home, await home.conversation("ana", uses_knowledge=False)) == []
    assert await _told(home, await home.conversation("ana")) != []


@pytest.mark.parametrize(("role", "told"), [("member", True), ("guest", False)])
async def test_guests_are_neither_read_to_nor_told_of_the_household_s_documents(
    home: Home, role: str, told: bool
) -> None:
    query = update(person).where(person.c.id == "ben").values(role=role)
    await home.room.database.write(lambda connection: connection.execute(query))
    await home.put("ana", TEXT, visibility="household")
    conversation_id = await home.conversation("ben")
    sent = await home.chat.send(
        "ben", conversation_id, content="Tell me", parent_id=None, client_id="1"
    )
    events = await home.chat.open_events("ben", sent.answer.id, 0)
    assert ("sources" in {event.kind async for event in events}) is told
    prompt = "".join(message.content for message in home.room.engine.requests[0].messages)
    assert (TEXT in prompt) is told
