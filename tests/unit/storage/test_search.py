"""Search goes on page by page, honours what is put away, and never finds what is deleted."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from allerac.errors import InvalidInput
from allerac.storage.conversations import Archived, ConversationItem
from allerac.storage.pages import encode_cursor
from tests.chat_room import Room, open_room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(tmp_path) as opened:
        yield opened


async def _said(room: Room, *questions: str, person: str = "ana") -> str:
    conversation_id = await room.store.create(person, model_id=None)
    sending = (
        room.store.send(
            person,
            conversation_id,
            content=question,
            parent_id=None,
            client_id=str(number),
            model_id="small",
        )
        for number, question in enumerate(questions)
    )
    await asyncio.gather(*sending)
    return conversation_id


async def _pages(
    room: Room, query: str, limit: int, archived: Archived = "exclude"
) -> list[list[ConversationItem]]:
    pages, cursor = [], None
    while True:
        page = await room.store.search(
            room.ana, query, archived=archived, cursor=cursor, limit=limit
        )
        pages.append(page.items)
        if (cursor := page.next_cursor) is None:
            return pages


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_pages_hold_every_find_once_best_first(room: Room, limit: int) -> None:
    ids = [await _said(room, "boiler " * n + "word " * 10, "boiler") for n in range(1, 8)]
    pages = await _pages(room, "boiler", limit)
    assert [item.id for page in pages for item in page] == [
        item.id for item in (await _pages(room, "boiler", 100))[0]
    ]
    assert sorted(item.id for page in pages for item in page) == sorted(ids)
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)


async def test_each_conversation_is_found_once_with_its_best_passage(room: Room) -> None:
    found = await _said(room, "a boiler, some day", "boiler boiler boiler", "and one boiler more")
    ((item,),) = await _pages(room, "boiler", 5)
    assert item.id == found
    assert item.snippet is not None
    assert item.snippet.text == "boiler boiler boiler"


@pytest.mark.slow
async def test_more_than_a_thousand_messages_of_one_conversation_hide_no_other(room: Room) -> None:
    chatty = await _said(room, *(f"boiler {number}" for number in range(1001)))
    quiet = await _said(room, "what about that " * 5 + "boiler")
    assert {item.id for item in (await _pages(room, "boiler", 5))[0]} == {chatty, quiet}


async def test_what_is_written_between_two_pages_moves_nothing(room: Room) -> None:
    for n in range(4):
        await _said(room, "boiler " + "word " * n)
    before = await _pages(room, "boiler", 4)
    first = await room.store.search(room.ana, "boiler", limit=2)
    await _said(room, "boiler boiler boiler")
    second = await room.store.search(room.ana, "boiler", cursor=first.next_cursor, limit=2)
    shown = [item.id for item in [*first.items, *second.items]]
    assert shown == [item.id for item in before[0]]
    assert second.next_cursor is None


@pytest.mark.parametrize(
    ("archived", "names"), [("exclude", {"shown"}), ("only", {"away"}), ("include", None)]
)
async def test_what_is_put_away_is_found_when_it_is_wanted(
    room: Room, archived: Archived, names: set[str] | None
) -> None:
    ids = {"shown": await _said(room, "boiler"), "away": await _said(room, "boiler")}
    await room.store.update(room.ana, ids["away"], {"archived": True})
    wanted = {ids[name] for name in names or ids}
    pages = await _pages(room, "boiler", 1, archived)
    assert {item.id for page in pages for item in page} == wanted


async def test_deleted_conversations_are_never_found(room: Room) -> None:
    ids = [await _said(room, "boiler") for _ in range(3)]
    first = await room.store.search(room.ana, "boiler", limit=1)
    for conversation_id in ids:
        await room.store.set_deleted(room.ana, conversation_id, deleted=True)
    archived: Archived
    for archived in ("exclude", "include", "only"):
        assert await _pages(room, "boiler", 5, archived) == [[]]
    page = await room.store.search(room.ana, "boiler", cursor=first.next_cursor, limit=5)
    assert page.items == []


async def test_nobody_finds_what_others_wrote_on_any_page(room: Room) -> None:
    for _ in range(3):
        await _said(room, "boiler", person=room.ben)
    own = await _said(room, "boiler")
    assert [[item.id for item in page] for page in await _pages(room, "boiler", 1)] == [[own]]


async def test_marks_count_characters_also_behind_emoji(room: Room) -> None:
    await _said(room, "🔥🔥 café boiler 🔥 <b>boiler</b>")
    ((item,),) = await _pages(room, "boiler", 5)
    assert item.snippet is not None
    text = item.snippet.text
    assert [text[start:end] for start, end in item.snippet.marks] == ["boiler", "boiler"]
    assert "<b>" in text, "text stays text; whoever shows it escapes it"


@pytest.mark.parametrize("cursor", ["x", encode_cursor((1, 2)), encode_cursor((1, 2, "a"))])
async def test_a_cursor_of_another_list_is_refused(room: Room, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        await room.store.search(room.ana, "boiler", cursor=cursor, limit=5)
