"""Which conversations may begin how: everybody's own, the newest assistants first, no secrets."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from allerac.app.knowledge import build_librarian
from allerac.app.librarian import Librarian
from allerac.assistants.service import AssistantService
from allerac.engine.embedding import EmbeddingSupervisor
from allerac.knowledge.retrieval import Retriever
from allerac.storage.accounts import AccountStore
from allerac.storage.assistants import AssistantStore
from allerac.storage.memories import MemoryStore
from tests.chat_room import Room, open_room


class EveryModel:
    """Every model is known."""

    def require_known(self, model_id: str) -> None:
        """It is."""


class NoModel:
    """Nothing reads documents."""

    def current(self) -> None:
        """There is none."""


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(tmp_path) as opened:
        yield opened


@pytest.fixture
def service(room: Room) -> AssistantService:
    return AssistantService(
        assistants=AssistantStore(room.database),
        memories=MemoryStore(room.database),
        models=EveryModel(),
    )


@pytest.fixture
def librarian(room: Room) -> Librarian:
    embedder = EmbeddingSupervisor()
    retriever = Retriever(database=room.database, embedder=embedder, models=NoModel())
    return build_librarian(room.database, retriever, lambda: None)


async def _begin(librarian: Librarian) -> list[tuple[str, str | None]]:
    found = await librarian.beginnings("small")
    return [(one.person_id, one.setting.instructions) for one in found]


async def _add(service: AssistantService, person: str, words: str, **more: Any) -> str:
    values = {"name": words, "instructions": words, **more}
    return (await service.create(person, values)).id


PLAIN = [("ana", None), ("ben", None)]


async def test_everybody_begins_without_an_assistant(librarian: Librarian) -> None:
    assert await _begin(librarian) == PLAIN


async def test_shared_assistant_is_read_for_each_and_a_private_one_for_its_owner(
    librarian: Librarian, service: AssistantService
) -> None:
    await _add(service, "ana", "Be mine.")
    await _add(service, "ana", "Be ours.", visibility="household")
    begun = await _begin(librarian)
    assert begun[:2] == PLAIN
    assert sorted(begun[2:]) == [("ana", "Be mine."), ("ana", "Be ours."), ("ben", "Be ours.")]


async def test_assistants_of_another_model_or_without_words_or_deleted_are_left_out(
    librarian: Librarian, service: AssistantService
) -> None:
    await _add(service, "ana", "Be small.", model_id="small")
    await _add(service, "ana", "Be large.", model_id="large")
    await service.create("ana", {"name": "Silent"})
    deleted = await _add(service, "ana", "Be gone.")
    await service.delete("ana", deleted)
    assert await _begin(librarian) == [*PLAIN, ("ana", "Be small.")]


async def test_memories_are_part_of_it_and_of_nobody_else_s(
    librarian: Librarian, service: AssistantService
) -> None:
    await service.remember("ana", "The bins go out on Friday.")
    ana, ben = await librarian.beginnings("small")
    assert ana.setting.memories == ("The bins go out on Friday.",)
    assert ben.setting.memories == ()


async def test_nothing_is_read_for_whoever_is_locked_out(librarian: Librarian, room: Room) -> None:
    locked = {"disabled_at": int(datetime.now(UTC).timestamp() * 1000)}
    await AccountStore(room.database).change_person("ben", locked)
    assert await _begin(librarian) == PLAIN[:1]
