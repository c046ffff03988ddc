"""Whatever changes how conversations begin is told, so that it can be read ahead."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from allerac.assistants.service import AssistantService
from allerac.errors import AlleracError
from allerac.storage.assistants import AssistantStore
from allerac.storage.memories import MemoryStore
from tests.chat_room import open_room
from tests.fakes import FakeModels

ANA = "ana"
Act = Callable[[AssistantService, str, str], Awaitable[object]]


class Told:
    """How often it was."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def service(told: Told, tmp_path: Path) -> AsyncIterator[AssistantService]:
    async with open_room(tmp_path) as room:
        yield AssistantService(
            assistants=AssistantStore(room.database),
            memories=MemoryStore(room.database),
            models=FakeModels(),
            on_change=told,
        )


@pytest.mark.parametrize(
    "act",
    [
        lambda service, assistant, _: service.change(ANA, assistant, {"instructions": "Be kind."}),
        lambda service, assistant, _: service.duplicate(ANA, assistant, "Another"),
        lambda service, assistant, _: service.restore(ANA, assistant),
        lambda service, *_: service.create(ANA, {"name": "Cook"}),
        lambda service, *_: service.from_template(ANA, "letter_writer"),
        lambda service, *_: service.remember(ANA, "The bins go out on Friday."),
        lambda service, _, memory: service.change_memory(
            ANA, memory, content="On Monday.", confirmed=False
        ),
        lambda service, _, memory: service.forget(ANA, memory),
        lambda service, *_: service.enable_memories(ANA, enabled=False),
    ],
)
async def test_change_is_told_once(service: AssistantService, told: Told, act: Act) -> None:
    assistant = await service.create(ANA, {"name": "Smith"})
    memory = await service.remember(ANA, "The boiler is serviced in May.")
    before = told.times
    await act(service, assistant.id, memory.id)
    assert told.times == before + 1


@pytest.mark.parametrize(
    "act",
    [
        lambda service, *_: service.create(ANA, {"name": " "}),
        lambda service, *_: service.change(ANA, "nobody", {"name": "Smith"}),
        lambda service, *_: service.remember(ANA, " "),
        lambda service, *_: service.forget(ANA, "nothing"),
    ],
)
async def test_what_is_refused_is_not_told(service: AssistantService, told: Told, act: Act) -> None:
    with pytest.raises(AlleracError):
        await act(service, "", "")
    assert told.times == 0
