"""The power goes while messages are read for their meaning; each is read whole, and once."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from allerac.chat.meaning import pieces_of
from allerac.storage.message_reading import MessageVectors
from tests.chat_room import Room, open_room
from tests.unit.chat.test_meaning import TopicReader, read_all, say

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TEXTS = [
    "".join(f"The dog number {n} of {number} walks. " * 5 for n in range(40)) for number in range(4)
]
SECONDS = 120

READ = """
import asyncio, pathlib, sys
from allerac.chat.meaning import Meaning
from allerac.storage.database import Database
from allerac.storage.message_reading import MessageVectors
from tests.unit.chat.test_meaning import NoRest, TopicReader

class Telling(TopicReader):
    async def read(self, texts):
        print(len(texts), flush=True)
        return await TopicReader.read(self, texts)

async def main():
    database = Database(pathlib.Path(sys.argv[1]) / "allerac.sqlite")
    await database.open()
    reader = Telling(stops_after=int(sys.argv[2]))
    Meaning(vectors=MessageVectors(database), reader=reader, pace=NoRest()).start()
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def _killed_after(folder: Path, texts: int) -> None:
    """Let a process read so many texts, then take its power while it waits for the next."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", READ, str(folder), str(texts)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS):
            read = 0
            while read <= texts:
                line = await process.stdout.readline()
                assert line, "the reader ended by itself"
                read += int(line)
    finally:
        process.kill()
        await process.wait()


async def _places(room: Room) -> Sequence[tuple[str, int, int]]:
    query = "SELECT message_id, start, length FROM message_vector ORDER BY message_id, start"
    return await room.database.read(lambda c: [tuple(r) for r in c.exec_driver_sql(query)])


@pytest.mark.parametrize("texts", [1, 9, 30])
async def test_messages_are_read_whole_after_a_kill(tmp_path: Path, texts: int) -> None:
    async with open_room(tmp_path) as room:
        for text in TEXTS:
            await say(room, text)
    await _killed_after(tmp_path, texts)
    async with open_room(tmp_path) as room:
        assert await room.database.check_integrity() == []
        assert await MessageVectors(room.database).unread("topics", 1)
        before = await _places(room)
        await read_all(room, TopicReader())
        after = await _places(room)
        assert len(set(after)) == len(after)
        assert set(before) <= set(after)
        assert not await MessageVectors(room.database).unread("topics", 1)
        sizes = {message: sum(m == message for m, _, _ in after) for message, _, _ in after}
        wanted = [len(pieces_of(text)) for text in TEXTS]
        assert sorted(sizes.values()) == sorted([1] * len(TEXTS) + wanted)
