"""The door between the gate and the running engine."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from allerac.errors import AlleracError, EngineUnavailable, Unavailable
from allerac.updates.gate import ModelBehindDoor, PrivateDoor, Spoken

from .emulated_system import EmulatedSystem

DEADLINE_SECONDS = 10


class Hall:
    """A door with an emulated model behind it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "prove.sock"
        self.system = EmulatedSystem()
        self.door = PrivateDoor(self.path, self.system.surroundings().model)
        self.visitor = ModelBehindDoor(self.path)

    async def says(self, line: bytes) -> bytes:
        """Ask otherwise than the gate does."""
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        writer.write(line)
        async with asyncio.timeout(DEADLINE_SECONDS):
            answer = await reader.read()
        writer.close()
        return answer


@pytest_asyncio.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    """An open door."""
    hall = Hall(tmp_path)
    await hall.door.start()
    yield hall
    await hall.door.stop()
    assert not hall.path.exists()


async def test_the_gate_learns_which_model_answers_and_how_fast(hall: Hall) -> None:
    assert await hall.visitor.loaded() == "household-4b"
    assert await hall.visitor.canary() == Spoken("one, two", 10.0)
    hall.system.model, hall.system.spoken = None, Spoken("", None)
    assert await hall.visitor.loaded() is None
    assert await hall.visitor.canary() == Spoken("", None)


async def test_only_the_user_of_the_runtime_may_open_it(hall: Hall) -> None:
    assert stat.S_IMODE(hall.path.stat().st_mode) == 0o600


async def test_an_engine_that_gave_up_says_why_through_the_door(hall: Hall) -> None:
    hall.system.model = EngineUnavailable("The model's file is missing.")
    with pytest.raises(EngineUnavailable, match="file is missing"):
        await hall.visitor.loaded()


@pytest.mark.parametrize("line", [b"\n", b"delete everything\n", b"\xff\n", b"x" * 10_000])
async def test_it_knows_two_questions_and_no_others(hall: Hall, line: bytes) -> None:
    assert b"model_id" not in await hall.says(line)
    assert hall.system.asked == []
    assert await hall.visitor.loaded() == "household-4b"


async def test_a_gate_that_leaves_frees_the_engine(hall: Hall) -> None:
    hall.system.hangs = True
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await hall.visitor.canary()
    hall.system.hangs = False
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await hall.visitor.canary() == Spoken("one, two", 10.0)


async def test_a_runtime_that_does_not_run_has_no_door(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        await ModelBehindDoor(tmp_path / "prove.sock").loaded()


@pytest.mark.parametrize("answer", [b"", b"[]\n", b"nonsense\n"])
async def test_a_runtime_that_dies_while_it_answers_proves_nothing(
    tmp_path: Path, answer: bytes
) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    path = tmp_path / "prove.sock"
    server = await asyncio.start_unix_server(reply, str(path))
    with pytest.raises((AlleracError, OSError)):
        await ModelBehindDoor(path).canary()
    server.close()
    assert issubclass(EngineUnavailable, Unavailable)


async def test_a_socket_left_by_a_killed_runtime_is_taken_over(hall: Hall) -> None:
    again = PrivateDoor(hall.path, hall.system.surroundings().model)
    await again.start()
    assert await hall.visitor.loaded() == "household-4b"
    await again.stop()


async def test_a_door_that_cannot_be_opened_keeps_nobody_from_starting(tmp_path: Path) -> None:
    door = PrivateDoor(tmp_path / "missing" / "prove.sock", EmulatedSystem().surroundings().model)
    with capture_logs() as logs:
        await door.start()
        await door.stop()
    assert [line["event"] for line in logs] == ["private_door_not_opened"]
