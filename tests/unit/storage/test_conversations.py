"""Lists go on where they stopped, searches never fail, and all of it is one person's own."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from allerac.errors import InvalidInput, NotFound
from allerac.storage.conversations import (
    AnswerUpdate,
    Archived,
    ConversationStore,
    MessageRecord,
)
from allerac.storage.pages import encode_cursor
from tests.chat_room import Room, open_room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(tmp_path) as opened:
        yield opened


async def _told(
    store: ConversationStore, question: str, answer: str, *, title: str | None = None
) -> tuple[str, MessageRecord]:
    """Store a conversation of one question and its complete answer."""
    conversation_id = await store.create("ana", model_id=None)
    _, row, _ = await store.send(
        "ana",
        conversation_id,
        content=question,
        parent_id=None,
        client_id="1",
        model_id="small",
    )
    await store.save_answer(row.id, AnswerUpdate(content=answer, sequence=3, status="complete"))
    if title:
        await store.update("ana", conversation_id, {"title": title})
    return conversation_id, row


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_pages_hold_every_conversation_once_pinned_first(room: Room, limit: int) -> None:
    ids = [await room.store.create(room.ana, model_id=None) for _ in range(7)]
    await room.store.update(room.ana, ids[2], {"pinned": True})
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = await room.store.page(room.ana, archived="exclude", cursor=cursor, limit=limit)
        seen += [item.id for item in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == [ids[2], *(one for one in reversed(ids) if one != ids[2])]


FORGED: list[list[int | str]] = [[10**30, 1, "a"], [True, 1, "a"], [1, 1, "\ud800"]]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "bnVsbA", "WzFd", "W1tdLFtdLFtdXQ", "\udcff", "é", *map(encode_cursor, FORGED)],
)
async def test_a_cursor_that_is_not_ours_is_refused(room: Room, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        await room.store.page(room.ana, archived="exclude", cursor=cursor, limit=5)


async def test_archived_conversations_are_a_list_of_their_own(room: Room) -> None:
    kept, put_away = [await room.store.create(room.ana, model_id=None) for _ in range(2)]
    await room.store.update(room.ana, put_away, {"archived": True})
    wanted: dict[Archived, list[str]] = {
        "exclude": [kept],
        "only": [put_away],
        "include": [put_away, kept],
    }
    for archived, ids in wanted.items():
        page = await room.store.page(room.ana, archived=archived, cursor=None, limit=5)
        assert sorted(item.id for item in page.items) == sorted(ids)


async def test_search_finds_titles_questions_and_answers_and_marks_the_words(room: Room) -> None:
    found, _ = await _told(
        room.store, "Who services the boiler?", "Café Müller does.", title="Heat"
    )
    for query, marked in (("heat", "Heat"), ("boil", "boiler"), ("cafe muller", "Café")):
        (item,) = (await room.store.search(room.ana, query, limit=5)).items
        assert item.id == found
        assert item.snippet is not None
        start, end = item.snippet.marks[0]
        assert item.snippet.text[start:end] == marked
    assert (await room.store.search(room.ben, "boiler", limit=5)).items == []


async def test_search_forgets_old_titles_and_deleted_conversations(room: Room) -> None:
    found, _ = await _told(room.store, "Hello", "Hi.", title="Winter")
    await room.store.update(room.ana, found, {"title": "Summer"})
    assert (await room.store.search(room.ana, "winter", limit=5)).items == []
    assert len((await room.store.search(room.ana, "summer", limit=5)).items) == 1
    await room.store.set_deleted(room.ana, found, deleted=True)
    assert (await room.store.search(room.ana, "summer", limit=5)).items == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(query=st.text(max_size=30) | st.sampled_from(['"', "AND", "a OR", "NEAR(", "^*", "_", "-a"]))
async def test_no_query_is_a_syntax_error(room: Room, query: str) -> None:
    assert isinstance((await room.store.search(room.ana, query, limit=5)).items, list)


async def test_search_finds_what_an_interrupted_answer_had_said(room: Room) -> None:
    conversation_id, question = await _told(room.store, "Hello", "Hi.")
    other = await room.store.add_answer(room.ana, question.parent_id or "", model_id="small")
    progress = AnswerUpdate(content="Half a lighthouse", sequence=2, status="streaming")
    await room.store.save_answer(other.id, progress)
    assert await room.store.interrupt_streaming({"code": "interrupted"}) == 1
    (item,) = (await room.store.search(room.ana, "lighthouse", limit=5)).items
    assert item.id == conversation_id


async def test_a_model_never_takes_the_title_that_a_person_gave(room: Room) -> None:
    found, _ = await _told(room.store, "Hello", "Hi.", title="Mine")
    await room.store.set_model_title(found, "Theirs")
    assert (await room.store.get(room.ana, found)).title == "Mine"


async def test_a_branch_is_ordered_by_its_links_when_the_clock_went_back(room: Room) -> None:
    """A box without a battery starts in the past; ids made there sort before older ones."""
    conversation_id, answer = await _told(room.store, "First", "One.")
    later, _, _ = await room.store.send(
        room.ana,
        conversation_id,
        content="Second",
        parent_id=answer.id,
        client_id="2",
        model_id="small",
    )
    earlier = "00000000-0000-7000-8000-000000000000"
    await room.database.write(
        lambda connection: connection.execute(
            text(
                "INSERT INTO message (id, conversation_id, parent_id, role, content, status, "
                "sequence, created_at, updated_at) VALUES (:id, :conversation, :parent, "
                "'assistant', 'Two.', 'complete', 0, 1, 1)"
            ),
            {"id": earlier, "conversation": conversation_id, "parent": later.id},
        )
    )
    branch = await room.store.path(room.ana, earlier)
    assert [message.content for message in branch] == ["First", "One.", "Second", "Two."]


async def test_a_leaf_of_another_conversation_is_refused(room: Room) -> None:
    _, elsewhere = await _told(room.store, "Hello", "Hi.")
    conversation_id = await room.store.create(room.ana, model_id=None)
    for name in ("leaf_id", "context_from_id"):
        with pytest.raises(NotFound):
            await room.store.update(room.ana, conversation_id, {name: elsewhere.id})


async def test_reading_begins_at_a_question_never_at_an_answer(room: Room) -> None:
    conversation_id, answer = await _told(room.store, "Hello", "Hi.")
    with pytest.raises(InvalidInput) as refused:
        await room.store.update(room.ana, conversation_id, {"context_from_id": answer.id})
    assert refused.value.fields == {"context_from_id": "is an answer"}
    for allowed in (answer.parent_id, None):
        await room.store.update(room.ana, conversation_id, {"context_from_id": allowed})
        assert (await room.store.get(room.ana, conversation_id)).context_from_id == allowed


async def test_what_is_not_changeable_is_refused(room: Room) -> None:
    conversation_id = await room.store.create(room.ana, model_id=None)
    with pytest.raises(InvalidInput):
        await room.store.update(room.ana, conversation_id, {"person_id": room.ben})


async def test_purging_takes_branches_and_their_index_for_good(room: Room) -> None:
    gone, answer = await _told(room.store, "Remember the boiler", "Yes.", title="Boiler")
    await room.store.add_answer(room.ana, answer.parent_id or "", model_id="small")
    kept, _ = await _told(room.store, "Another boiler", "Yes.")
    await room.store.set_deleted(room.ana, gone, deleted=True)
    assert await room.store.purge_deleted(datetime.now(UTC) + timedelta(seconds=1)) == 1
    items = (await room.store.search(room.ana, "boiler", limit=5)).items
    assert [item.id for item in items] == [kept]
    count = await room.database.read(
        lambda connection: connection.scalar(text("SELECT count(*) FROM search_text"))
    )
    assert count == 2
    assert await room.database.check_integrity() == []


async def test_a_rating_is_kept_and_taken_back(room: Room) -> None:
    _, answer = await _told(room.store, "Hello", "Hi.")
    assert (await room.store.rate(room.ana, answer.id, "up")).rating == "up"
    assert (await room.store.rate(room.ana, answer.id, None)).rating is None
