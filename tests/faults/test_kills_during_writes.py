"""What was acknowledged before a kill is there after it, once."""

import asyncio
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.chat_room import open_room

ROUNDS = 200

WRITERS = """
import asyncio, itertools, os, pathlib, signal, sys
from allerac.storage.conversations import ConversationStore
from allerac.storage.database import Database

folder, conversation_id, rounds = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])

async def write(number, pipe):
    database = Database(folder / "allerac.sqlite")
    await database.open()
    store = ConversationStore(database)

    async def send(client_id):
        for _ in range(2):  # as a client that is not sure repeats itself
            await store.send("ana", conversation_id, content="Hello " + client_id, parent_id=None,
                             client_id=client_id, model_id="small")
        os.write(pipe, (client_id + "\\n").encode())

    for group in itertools.count():
        await asyncio.gather(*(send(f"{number}-{group}-{one}") for one in range(3)))

for number in range(rounds):
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        asyncio.run(write(number, writing))
    os.close(writing)
    with os.fdopen(reading) as acknowledged:
        for _ in range(number % 5):
            print(acknowledged.readline(), end="")
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        print(acknowledged.read(), end="")
"""


@pytest.mark.slow
async def test_200_kills_during_writes_lose_and_double_nothing(tmp_path: Path) -> None:
    async with open_room(tmp_path) as room:
        conversation_id = await room.conversation()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITERS, str(tmp_path), conversation_id, str(ROUNDS)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    acknowledged = output.decode().split()
    assert len(acknowledged) >= ROUNDS
    async with open_room(tmp_path) as room:
        page = await room.store.messages(room.ana, conversation_id, limit=1_000_000)
        stored = Counter(message.content for message in page.items if message.role == "user")
        assert set(stored.values()) == {1}
        assert {f"Hello {client_id}" for client_id in acknowledged} <= set(stored)
        assert await room.database.check_integrity() == []
