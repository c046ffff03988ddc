"""A disk that fails or a process that dies costs nothing that was acknowledged."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pysqlite3.dbapi2 as driver
import pytest

from allerac.engine.protocol import Delta
from allerac.errors import StorageUnavailable
from allerac.storage.conversations import MessageRecord
from tests.chat_room import Room, open_room
from tests.fakes import said

DYING = """
import asyncio, pathlib, sys
from allerac.engine.protocol import Delta
from tests.chat_room import open_room

async def main():
    async with open_room(pathlib.Path(sys.argv[1])) as room:
        room.engine.plays(Delta("As far as this", 1), asyncio.Event())
        sent = await room.say(await room.conversation(), "Tell me")
        while not (await room.store.message(room.ana, sent.answer.id)).content:
            pass
        print(sent.answer.id, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(tmp_path) as opened:
        yield opened


@contextmanager
def no_more_room(folder: Path) -> Iterator[None]:
    """Let no file grow beyond the size that the write-ahead log has now."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (folder / "allerac.sqlite-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the database's write lock from another connection."""
    connection = driver.connect(str(folder / "allerac.sqlite"), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


async def _row_when(
    room: Room, answer_id: str, holds: Callable[[MessageRecord], bool]
) -> MessageRecord:
    async with asyncio.timeout(30):
        while True:
            row = await room.store.message(room.ana, answer_id)
            if holds(row):
                return row


async def test_a_full_disk_in_mid_answer_is_told_and_the_answer_is_kept_once_there_is_room(
    room: Room, tmp_path: Path
) -> None:
    gate, text = asyncio.Event(), "a long story " * 40_000
    room.engine.plays(Delta("Once ", 1), gate, *said(text))
    conversation_id = await room.conversation()
    sent = await room.say(conversation_id, "Tell me")
    await _row_when(room, sent.answer.id, lambda row: row.content == "Once ")
    with no_more_room(tmp_path):
        gate.set()
        events = await room.events(sent.answer.id)
        assert events[-1].data["code"] == "storage_unavailable"
        assert "".join(e.data["text"] for e in events if e.kind == "delta") == "Once " + text
        with pytest.raises(StorageUnavailable):
            await room.say(conversation_id, "b" * 500_000)
        assert (await room.store.message(room.ana, sent.message.id)).content == "Tell me"
    row = await _row_when(room, sent.answer.id, lambda row: row.status != "streaming")
    assert (row.status, row.content) == ("complete", "Once " + text)
    assert await room.database.check_integrity() == []


async def test_a_locked_database_does_not_hold_up_the_stream(room: Room, tmp_path: Path) -> None:
    gate = asyncio.Event()
    room.engine.plays(Delta("One ", 1), gate, *said("two ", "three."))
    conversation_id = await room.conversation()
    sent = await room.say(conversation_id, "Count")
    watching = await room.chat.open_events(room.ana, sent.answer.id, 0)
    assert (await anext(watching)).data == {"text": "One "}
    with locked(tmp_path):
        gate.set()
        assert [(await anext(watching)).data["text"] for _ in range(2)] == ["two ", "three."]
        with pytest.raises(StorageUnavailable):
            await room.say(conversation_id, "And now?")
    row = await _row_when(room, sent.answer.id, lambda row: row.status != "streaming")
    assert (row.status, row.content) == ("complete", "One two three.")
    assert (await room.ended((await room.say(conversation_id, "And now?")).answer.id)).content


async def test_a_disk_that_turns_read_only_refuses_a_message_and_takes_the_next(
    room: Room,
) -> None:
    conversation_id = await room.conversation()
    await room.database.write(lambda connection: connection.exec_driver_sql("PRAGMA query_only=ON"))
    with pytest.raises(StorageUnavailable):
        await room.say(conversation_id, "Hello")
    assert (await room.chat.list_messages(room.ana, conversation_id)).items == []
    assert (await room.ended((await room.say(conversation_id, "Hello")).answer.id)).content


async def test_a_kill_in_mid_answer_keeps_what_was_stored(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DYING, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        answer_id = (await process.stdout.readline()).decode().strip()
        process.kill()
        await process.wait()
    async with open_room(tmp_path) as room:
        await room.chat.start(datetime.now(UTC))
        row = await room.store.message(room.ana, answer_id)
        assert (row.status, row.content) == ("interrupted", "As far as this")
        assert await room.database.check_integrity() == []
        again = await room.chat.regenerate(room.ana, answer_id)
        assert (await room.ended(again.id)).status == "complete"
