"""A summary belongs to one message, comes with it, and goes with it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pysqlite3.dbapi2 as driver
import pytest
from sqlalchemy import text

from allerac.errors import NotFound
from allerac.storage.accounts import AccountStore
from allerac.storage.conversations import MessageRecord, SummaryRecord
from tests.chat_room import Room, open_room

MADE_AT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(tmp_path) as opened:
        yield opened


async def _exchange(room: Room) -> tuple[MessageRecord, MessageRecord]:
    conversation_id = await room.store.create(room.ana, model_id=None)
    asked, answer, _ = await room.store.send(
        room.ana,
        conversation_id,
        content="Who services the boiler?",
        parent_id=None,
        client_id="1",
        model_id="small",
    )
    return asked, answer


def _summary(asked: MessageRecord, answer: MessageRecord, content: str) -> SummaryRecord:
    return SummaryRecord(asked.id, answer.id, 2, content, "small", MADE_AT)


async def test_a_summary_comes_with_the_message_that_it_ends_with(room: Room) -> None:
    asked, answer = await _exchange(room)
    kept = _summary(asked, answer, "Miller services the boiler.")
    await room.store.add_summary(room.ana, kept)
    listed = (await room.store.messages(room.ana, asked.conversation_id)).items
    branch = await room.store.path(room.ana, answer.id)
    for messages in (listed, branch):
        assert [message.summary for message in messages] == [None, kept]


async def test_a_later_summary_takes_the_place_of_the_one_of_the_same_message(room: Room) -> None:
    asked, answer = await _exchange(room)
    for content in ("First try.", "Second try."):
        await room.store.add_summary(room.ana, _summary(asked, answer, content))
    summaries = [message.summary for message in await room.store.path(room.ana, answer.id)]
    assert [one.content for one in summaries if one] == ["Second try."]


async def test_nobody_summarises_what_is_not_theirs_or_is_deleted(room: Room) -> None:
    asked, answer = await _exchange(room)
    elsewhere, _ = await _exchange(room)
    with pytest.raises(NotFound):
        await room.store.add_summary(room.ben, _summary(asked, answer, "Mine now."))
    with pytest.raises(NotFound):
        await room.store.add_summary(room.ana, _summary(elsewhere, answer, "Two at once."))
    await room.store.set_deleted(room.ana, asked.conversation_id, deleted=True)
    with pytest.raises(NotFound):
        await room.store.add_summary(room.ana, _summary(asked, answer, "Too late."))


@pytest.mark.parametrize("way", ["purged", "person removed"])
async def test_a_summary_goes_with_its_conversation(room: Room, way: str) -> None:
    asked, answer = await _exchange(room)
    await room.store.add_summary(room.ana, _summary(asked, answer, "Miller."))
    if way == "purged":
        await room.store.set_deleted(room.ana, asked.conversation_id, deleted=True)
        await room.store.purge_deleted(datetime.now(UTC) + timedelta(seconds=1))
    else:
        await AccountStore(room.database).delete_person(room.ana)
    left = await room.database.read(
        lambda connection: connection.scalar(text("SELECT count(*) FROM summary"))
    )
    assert left == 0
    assert await room.database.check_integrity() == []


async def test_a_database_of_the_first_version_gets_the_table_and_keeps_its_rows(
    tmp_path: Path,
) -> None:
    async with open_room(tmp_path) as before:
        asked, answer = await _exchange(before)
    with driver.connect(str(tmp_path / "allerac.sqlite")) as connection:
        connection.execute("DROP TABLE summary")
        connection.execute("PRAGMA user_version=1")
    connection.close()
    async with open_room(tmp_path) as room:
        await room.store.add_summary(room.ana, _summary(asked, answer, "Miller."))
        assert len(await room.store.path(room.ana, answer.id)) == 2
        assert await room.database.check_integrity() == []
    assert (tmp_path / "allerac.sqlite.before-2").exists()
