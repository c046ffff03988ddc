"""Conversations are found by what their messages mean, each person's own and nobody else's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from allerac.chat.meaning import PIECE_CHARACTERS, PIECES, Meaning, pieces_of
from allerac.errors import EngineUnavailable
from allerac.storage.accounts import AccountStore
from allerac.storage.conversations import AnswerUpdate, ConversationItem
from allerac.storage.message_reading import MessageVectors
from allerac.storage.message_vectors import Near
from tests.chat_room import Room, open_room

SECONDS = 60
TOPICS = (("boiler", "heating", "warm"), ("dog", "puppy", "walk"), ("tax", "money", "euro"))


@dataclass(slots=True)
class TopicReader:
    """Knows three topics by their words; stops for good after `stops_after` texts."""

    model: str | None = "topics"
    stops_after: int | None = None
    is_away: bool = False
    texts: list[str] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def model_id(self) -> str | None:
        """Return the model."""
        return self.model

    async def read(self, texts: list[str]) -> list[bytes]:
        """Return how much of each topic there is."""
        if self.is_away:
            raise EngineUnavailable("away")
        if self.stops_after is not None and len(self.texts) >= self.stops_after:
            self.stopped.set()
            await asyncio.Event().wait()
        self.texts += texts
        return [
            np.array([0.01 + sum(map(each.lower().count, t)) for t in TOPICS], "<f4").tobytes()
            for each in texts
        ]

    async def near(self, query: str) -> Near:
        """Return the query's topics."""
        (vector,) = await self.read([query])
        return Near(self.model or "", vector, floor=0.9)


class NoRest:
    """A pace without any rest."""

    async def rest(self, worked_seconds: float) -> None:
        """Go on at once."""


@asynccontextmanager
async def reading(room: Room, reader: TopicReader) -> AsyncIterator[Meaning]:
    """Read what people say."""
    meaning = Meaning(vectors=MessageVectors(room.database), reader=reader, pace=NoRest())
    meaning.start()
    try:
        yield meaning
    finally:
        await meaning.stop()


async def read_all(room: Room, reader: TopicReader) -> None:
    """Return when every message is read."""
    vectors = MessageVectors(room.database)
    async with reading(room, reader), asyncio.timeout(SECONDS):
        while True:
            if not await vectors.unread(reader.model or "", 1):
                break
            await asyncio.sleep(0.01)


async def found(
    room: Room, reader: TopicReader, query: str, person: str = "ana", **page: int | str
) -> list[ConversationItem]:
    near = await reader.near(query)
    result = await room.store.search(person, query, near=near, **{"limit": 50, **page})
    return result.items


async def vectors_left(room: Room) -> int:
    return await room.database.read(
        lambda c: int(c.exec_driver_sql("SELECT count(*) FROM message_vector").scalar_one())
    )


async def say(room: Room, content: str, person: str = "ana") -> str:
    """Say it in a conversation of its own; returns its id."""
    new = await room.store.create(person, model_id=None)
    _, answer, _ = await room.store.send(
        person, new, content=content, parent_id=None, client_id=content[:60], model_id="small"
    )
    await room.store.save_answer(answer.id, AnswerUpdate("I see.", 1, "complete"))
    return new


@pytest_asyncio.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(tmp_path) as opened:
        yield opened


async def test_a_conversation_is_found_by_another_word_and_shows_the_sentence(room: Room) -> None:
    padding = "Nothing of this matters to anybody at all. " * 8
    warm = await say(room, f"{padding}The boiler is cold again. {padding}")
    await say(room, "The puppy needs a walk.")
    reader = TopicReader()
    await read_all(room, reader)
    (item,) = await found(room, reader, "heating")
    assert item.id == warm
    assert item.snippet is not None
    assert "The boiler is cold again." in item.snippet.text
    assert len(item.snippet.text) <= PIECE_CHARACTERS
    assert (item.snippet.marks, item.snippet.by_meaning) == ([], True)


async def test_words_and_meaning_are_fused_and_what_has_both_comes_first(room: Room) -> None:
    meant = await say(room, "A dog.")
    both = await say(room, "My puppy, the dog.")
    reader = TopicReader()
    await read_all(room, reader)
    items = await found(room, reader, "puppy")
    assert [item.id for item in items] == [both, meant]
    assert [item.snippet and item.snippet.by_meaning for item in items] == [False, True]


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_hold_every_find_once(room: Room, limit: int) -> None:
    ids = {await say(room, f"dog {'puppy ' * n}") for n in range(5)}
    reader, cursor = TopicReader(), None
    await read_all(room, reader)
    near, shown = await reader.near("puppy"), list[str]()
    while True:
        page = await room.store.search("ana", "puppy", near=near, limit=limit, cursor=cursor)
        shown += [item.id for item in page.items]
        if (cursor := page.next_cursor) is None:
            break
        await say(room, "puppy dog puppy")
        await read_all(room, reader)
    assert len(shown) == 5
    assert set(shown) == ids


async def test_nobody_finds_what_others_mean(room: Room) -> None:
    await say(room, "The boiler is cold again.", person=room.ben)
    reader = TopicReader()
    await read_all(room, reader)
    assert await found(room, reader, "heating") == []
    assert len(await found(room, reader, "heating", person=room.ben)) == 1


async def test_archived_conversations_are_found_where_they_are_wanted(room: Room) -> None:
    away = await say(room, "The boiler is cold again.")
    await room.store.update(room.ana, away, {"archived": True})
    reader = TopicReader()
    await read_all(room, reader)
    assert await found(room, reader, "heating", archived="exclude") == []
    assert len(await found(room, reader, "heating", archived="only")) == 1


async def test_deletion_leaves_no_vector_and_restoring_brings_them_back(room: Room) -> None:
    one = await say(room, "The boiler is cold again.")
    reader = TopicReader()
    await read_all(room, reader)
    await room.store.set_deleted(room.ana, one, deleted=True)
    assert await vectors_left(room) == 0
    await read_all(room, reader)
    assert await vectors_left(room) == 0
    await room.store.set_deleted(room.ana, one, deleted=False)
    await read_all(room, reader)
    assert [item.id for item in await found(room, reader, "heating")] == [one]


async def test_a_person_takes_their_vectors_along(room: Room) -> None:
    await say(room, "The boiler is cold again.", person=room.ben)
    reader = TopicReader()
    await read_all(room, reader)
    await AccountStore(room.database).delete_person(room.ben)
    assert await vectors_left(room) == 0


async def test_another_model_reads_everything_anew(room: Room) -> None:
    one = await say(room, "The boiler is cold again.")
    reader = TopicReader()
    await read_all(room, reader)
    before = await vectors_left(room)
    reader.model = "better topics"
    assert await found(room, reader, "heating") == []
    await read_all(room, reader)
    assert await vectors_left(room) == before
    assert [item.id for item in await found(room, reader, "heating")] == [one]


async def test_an_answer_that_goes_on_is_read_again(room: Room) -> None:
    one = await say(room, "Hello.")
    reader = TopicReader()
    await read_all(room, reader)
    (_, answer) = (await room.store.messages(room.ana, one)).items
    await room.store.save_answer(answer.id, AnswerUpdate("It is about money.", 2, "complete"))
    await read_all(room, reader)
    assert [item.id for item in await found(room, reader, "euro")] == [one]


async def test_reading_goes_on_after_a_stop_without_reading_twice(room: Room) -> None:
    for number in range(6):
        await say(room, f"Message {number} about the dog.")
    halting = TopicReader(stops_after=5)
    async with reading(room, halting), asyncio.timeout(SECONDS):
        await halting.stopped.wait()
    rest = TopicReader()
    await read_all(room, rest)
    assert sorted(halting.texts + rest.texts) == sorted(
        [f"Message {n} about the dog." for n in range(6)] + ["I see."] * 6
    )


async def test_words_alone_are_searched_without_a_model_or_while_it_is_away(room: Room) -> None:
    vectors = MessageVectors(room.database)
    for reader in (TopicReader(model=None), TopicReader(is_away=True)):
        meaning = Meaning(vectors=vectors, reader=reader, pace=NoRest())
        assert await meaning.near("heating") is None
    short = Meaning(vectors=vectors, reader=TopicReader(), pace=NoRest())
    assert await short.near("of") is None


@pytest.mark.parametrize(
    "content", ["", " \n ", "…", "x" * 5000, "One. Two! Three? Four", "a\n\n\nb", "🔥 warm. " * 900]
)
def test_pieces_lie_in_the_text_one_behind_the_other(content: str) -> None:
    pieces = pieces_of(content)
    assert 1 <= len(pieces) <= PIECES
    assert all(end - start <= PIECE_CHARACTERS for start, end in pieces)
    assert all(before[1] <= after[0] for before, after in pairwise(pieces))
    assert pieces[-1][1] <= len(content)
