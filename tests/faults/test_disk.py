"""A disk that is full, locked or read-only while people chat: what was acknowledged stays.

The box lives on a small disk of its own, a tmpfs that only its processes see, so that the disk can
be filled and be made read-only under a runtime that goes on.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from subprocess import PIPE

import httpx
import pytest

from tests.claimed_box import (
    RECOVERY_SECONDS,
    SLOW,
    ClaimedBox,
    Json,
    Owner,
    claimed_box,
    text_of,
    write_endless_model,
)
from tests.faults import soundness

pytestmark = pytest.mark.slow

DISK = "size=80m"
BLOCK = bytes(1 << 16)
AS_ROOT = () if os.geteuid() == 0 else ("--user", "--map-root-user")
ON_A_SMALL_DISK = 'mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@"'
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"'
LOCK = """
import sys
import pysqlite3.dbapi2 as driver
connection = driver.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
connection.close()
"""


@dataclass(frozen=True, slots=True)
class Disk:
    """The box's disk, `folder` for those who see it."""

    box: ClaimedBox
    folder: Path

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave not one block free."""
        ballast = Path(f"/proc/{self.box.running.process.pid}/root{self.folder}/ballast")
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(BLOCK):
                pass
        try:
            yield
        finally:
            ballast.unlink()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the database's write lock."""
        command = self._inside(sys.executable, "-c", LOCK, str(self._database))
        with subprocess.Popen(command, stdin=PIPE, stdout=PIPE) as holder:
            assert holder.stdin is not None
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"locked\n"
            try:
                yield
            finally:
                holder.stdin.close()
                holder.wait(10)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Let nothing be opened for writing from now on; what is open stays open."""
        self._run("sh", "-c", READ_ONLY, str(self.folder))
        try:
            yield
        finally:
            self._run("umount", "--lazy", str(self.folder))

    def damage(self) -> str:
        """Return what SQLite finds wrong with the database."""
        return self._run(sys.executable, soundness.__file__, str(self._database))

    @property
    def _database(self) -> Path:
        return self.folder / "allerac.sqlite"

    def _run(self, *words: str) -> str:
        command = self._inside(*words)
        done = subprocess.run(command, check=True, stdout=PIPE, timeout=60)
        return done.stdout.decode()

    def _inside(self, *words: str) -> list[str]:
        """Return the command that does `words` where the disk is seen.

        From outside, SQLite would follow /proc/…/root to a file of the same name on our own disk.
        """
        user = ("--user", "--preserve-credentials") if AS_ROOT else ()
        pid = str(self.box.running.process.pid)
        return ["nsenter", "--target", pid, *user, "--mount", *words]


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    folder = tmp_path_factory.mktemp("box")
    namespace = ("unshare", "--mount", *AS_ROOT)
    allowed = subprocess.run([*namespace, "true"], check=False, capture_output=True, timeout=10)
    if allowed.returncode != 0:
        pytest.skip(f"mount namespaces are not allowed: {allowed.stderr.decode().strip()}")
    within = (*namespace, "sh", "-c", ON_A_SMALL_DISK, "sh", DISK, str(folder))
    with claimed_box(
        folder,
        within=within,
        profile="vm",
        demo_model_dir=str(write_endless_model(tmp_path_factory.mktemp("model"), SLOW)),
    ) as claimed:
        yield Disk(claimed, folder)


@pytest.fixture
async def owner(disk: Disk) -> AsyncIterator[Owner]:
    async with disk.box.owner() as owner:
        await owner.until_ready()
        yield owner


class Chat:
    """A conversation with an answer in flight, and what was acknowledged of it."""

    def __init__(self, owner: Owner, conversation_id: str, answer_id: str) -> None:
        self.conversation_id = conversation_id
        self.answer_id = answer_id
        self.acknowledged = ["Tell me"]
        self._owner = owner

    @classmethod
    async def begun(cls, owner: Owner) -> "Chat":
        """Start one whose answer has said something."""
        conversation_id = await owner.conversation()
        _, answer_id = await owner.say(conversation_id, "Tell me")
        await owner.first_events(answer_id)
        return cls(owner, conversation_id, answer_id)

    async def send(self, content: str) -> httpx.Response:
        """Send a message whose answer is not waited for."""
        response = await self._owner.send(self.conversation_id, content, client_id=content[:20])
        if response.is_success:
            self.acknowledged.append(content)
            await self._owner.stop(response.json()["answer"]["id"])
        return response

    async def goes_on(self) -> None:
        """Fail unless the answer says more than it had when this was called."""
        before = (await self._owner.message(self.conversation_id, self.answer_id))["sequence"]
        deltas = 0
        async for event in self._owner.follow(self.answer_id, before):
            deltas += event.kind == "delta"
            if deltas == 20:
                return
        raise AssertionError("the answer ended")

    async def kept(self) -> list[str]:
        """Return the questions that are stored."""
        stored = await self._owner.messages(self.conversation_id)
        return [row["content"] for row in stored if row["role"] == "user"]

    async def stored_whole(self) -> Json:
        """Wait until the answer's end is stored; returns its row."""
        async with asyncio.timeout(RECOVERY_SECONDS):
            while True:
                row = await self._owner.message(self.conversation_id, self.answer_id)
                if row["status"] != "streaming":
                    return row
                await asyncio.sleep(0.05)


def _assert_refused(response: httpx.Response, *words: str) -> None:
    """It says one of `words`, when to try again and what to do."""
    problem = response.json()["error"]
    assert (response.status_code, problem["code"]) == (503, "storage_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert any(word in problem["message"] for word in words), problem
    assert problem["hint"]


async def _assert_recovered(chat: Chat, owner: Owner, disk: Disk) -> None:
    """Fail unless everything acknowledged is there and the chat takes messages again."""
    assert await chat.kept() == chat.acknowledged
    async with asyncio.timeout(RECOVERY_SECONDS):
        _, answer_id = await owner.say(chat.conversation_id, "And now?", client_id="after")
        assert text_of(await owner.first_events(answer_id))
        await owner.stop(answer_id)
        await owner.until_ready()
    assert disk.damage() == ""


async def test_a_full_disk_refuses_messages_keeps_what_was_taken_and_takes_more_when_there_is_room(
    disk: Disk, owner: Owner
) -> None:
    chat = await Chat.begun(owner)
    with disk.full():
        await chat.goes_on()
        texts = (f"{number} {'word ' * 20_000}" for number in count())
        refused = await chat.send(next(texts))
        while refused.is_success:  # what the log has room for is still taken
            refused = await chat.send(next(texts))
        _assert_refused(refused, "full")
        assert await chat.kept() == chat.acknowledged
        assert (await owner.client.get("/readyz")).json()["disk"] is False
        await owner.stop(chat.answer_id)
        events = await owner.events(chat.answer_id)
        assert (events[-1].kind, events[-1].data["code"]) == ("error", "storage_unavailable")
        assert events[-1].data["hint"]
    row = await chat.stored_whole()
    assert (row["status"], row["content"]) == ("stopped", text_of(events))
    await _assert_recovered(chat, owner, disk)


async def test_a_locked_database_refuses_messages_and_holds_up_no_answer(
    disk: Disk, owner: Owner
) -> None:
    chat = await Chat.begun(owner)
    with disk.locked():
        await chat.goes_on()
        _assert_refused(await chat.send("Now?"), "busy")
        assert await chat.kept() == chat.acknowledged
    await owner.stop(chat.answer_id)
    row = await chat.stored_whole()
    assert (row["status"], row["content"]) == (
        "stopped",
        text_of(await owner.events(chat.answer_id)),
    )
    await _assert_recovered(chat, owner, disk)


async def test_a_disk_that_turns_read_only_refuses_messages_and_shows_what_there_is(
    disk: Disk, owner: Owner
) -> None:
    chat = await Chat.begun(owner)
    await owner.stop(chat.answer_id)
    with ExitStack() as lock:
        lock.enter_context(disk.locked())
        with disk.read_only():
            # Who waits in vain opens the file anew; the box itself may have been first.
            _assert_refused(await chat.send("Now?"), "busy", "only be read")
            lock.close()
            _assert_refused(await chat.send("Now?"), "only be read")
            assert await chat.kept() == chat.acknowledged
    await _assert_recovered(chat, owner, disk)
