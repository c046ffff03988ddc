"""Assistants and memories of one person."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from allerac.errors import InvalidInput, NotFound
from allerac.storage.assistants import AssistantRecord, AssistantStore, ConversationScope
from allerac.storage.memories import MemoryRecord, MemoryStore
from allerac.storage.pages import is_text

from .templates import TEMPLATES

MAX_MEMORY = 500


class KnownModels(Protocol):
    """Which models the box has heard of."""

    def require_known(self, model_id: str) -> None:
        """Raise `NotFound` for one that it has not."""


class AssistantService:
    """Every method takes the caller's `person_id` and raises `NotFound` for what is not theirs.

    `on_change` hears of each change to what a conversation begins with.
    """

    def __init__(
        self,
        *,
        assistants: AssistantStore,
        memories: MemoryStore,
        models: KnownModels,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._assistants = assistants
        self._memories = memories
        self._models = models
        self._on_change = on_change

    async def list(self, person_id: str, *, deleted: bool = False) -> Sequence[AssistantRecord]:
        """List one's own and the household's, or one's own deleted ones."""
        return await self._assistants.list(person_id, deleted=deleted)

    async def get(self, person_id: str, assistant_id: str) -> AssistantRecord:
        """Return an assistant."""
        return await self._assistants.get(person_id, assistant_id)

    async def create(self, person_id: str, values: Mapping[str, Any]) -> AssistantRecord:
        """Make an assistant. Raises `InvalidInput`, `NotFound` for its model or documents."""
        made = await self._assistants.add(person_id, self._checked({**_EMPTY, **values}))
        self._on_change()
        return made

    async def from_template(self, person_id: str, template: str) -> AssistantRecord:
        """Make an assistant of a template. Raises `InvalidInput` for one that there is not."""
        if template not in TEMPLATES:
            raise InvalidInput("There is no such template.", fields={"template": "is not known"})
        values = asdict(TEMPLATES[template])
        return await self.create(person_id, {**values, "starters": list(values["starters"])})

    async def change(
        self, person_id: str, assistant_id: str, values: Mapping[str, Any]
    ) -> AssistantRecord:
        """Change one's own. Raises `Forbidden` for another's."""
        changed = await self._assistants.change(person_id, assistant_id, self._checked(values))
        self._on_change()
        return changed

    async def duplicate(self, person_id: str, assistant_id: str, name: str) -> AssistantRecord:
        """Make a private copy of any that one may use."""
        source = await self._assistants.get(person_id, assistant_id)
        values = {field: getattr(source, field) for field in _EMPTY}
        values |= {"name": name, "visibility": "private", "starters": [*source.starters]}
        return await self.create(person_id, values)

    async def delete(self, person_id: str, assistant_id: str) -> None:
        """Delete; it can be restored."""
        await self._assistants.set_deleted(person_id, assistant_id, deleted=True)

    async def restore(self, person_id: str, assistant_id: str) -> AssistantRecord:
        """Undo a deletion."""
        await self._assistants.set_deleted(person_id, assistant_id, deleted=False)
        self._on_change()
        return await self._assistants.get(person_id, assistant_id)

    async def scope(self, person_id: str, conversation_id: str) -> ConversationScope:
        """Return who answers in a conversation."""
        return await self._assistants.scope(person_id, conversation_id)

    async def set_scope(
        self, person_id: str, conversation_id: str, scope: ConversationScope
    ) -> ConversationScope:
        """Decide who answers in a conversation, and where it looks."""
        await self._assistants.set_scope(person_id, conversation_id, scope)
        return scope

    async def model_of(self, person_id: str, scope: ConversationScope) -> str | None:
        """Return the model that the scope's assistant asks for, None without one."""
        if scope.assistant_id is None:
            return None
        try:
            return (await self._assistants.get(person_id, scope.assistant_id)).model_id
        except NotFound:
            return None  # no longer shared

    async def memories(self, person_id: str) -> Sequence[MemoryRecord]:
        """List what is remembered or proposed."""
        return await self._memories.list(person_id)

    async def memories_enabled(self, person_id: str) -> bool:
        """Tell whether memories are used."""
        return await self._memories.is_enabled(person_id)

    async def enable_memories(self, person_id: str, *, enabled: bool) -> None:
        """Switch memories on or off."""
        await self._memories.set_enabled(person_id, enabled=enabled)
        self._on_change()

    async def remember(self, person_id: str, content: str, **origin: Any) -> MemoryRecord:
        """Keep what the person wrote down."""
        kept = await self._memories.add(person_id, _fact(content), state="kept", **origin)
        self._on_change()
        return kept

    async def change_memory(
        self, person_id: str, memory_id: str, *, content: str | None, confirmed: bool
    ) -> MemoryRecord:
        """Put it in other words, or confirm one that was proposed."""
        values = {
            **({} if content is None else {"content": _fact(content)}),
            **({"state": "kept"} if confirmed else {}),
        }
        changed = await self._memories.change(person_id, memory_id, **values)
        self._on_change()
        return changed

    async def forget(self, person_id: str, memory_id: str) -> None:
        """Forget for good."""
        await self._memories.remove(person_id, memory_id)
        self._on_change()

    def _checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        checked = dict(values)
        for field in ("name", "description", "instructions", "avatar"):
            if field in checked:
                checked[field] = _text(field, checked[field])
        if "name" in checked and not checked["name"]:
            raise InvalidInput("An assistant needs a name.", fields={"name": "must not be empty"})
        if "starters" in checked:
            starters = [_text("starters", starter) for starter in checked["starters"]]
            checked["starters"] = [starter for starter in starters if starter]
        if checked.get("model_id") is not None:
            self._models.require_known(checked["model_id"])
        return checked


_EMPTY: Mapping[str, Any] = {
    "name": "",
    "description": "",
    "avatar": "lamp",
    "instructions": "",
    "visibility": "private",
    "model_id": None,
    "temperature": None,
    "max_tokens": None,
    "starters": [],
    "uses_knowledge": True,
    "file_ids": [],
    "is_narrowed": False,
}


def _text(field: str, value: str) -> str:
    if not is_text(value):
        raise InvalidInput("This text has broken characters.", fields={field: "is not text"})
    return value.strip()


def _fact(content: str) -> str:
    """Return a memory as one line. Raises `InvalidInput`."""
    fact = " ".join(_text("content", content).split())
    if not 0 < len(fact) <= MAX_MEMORY:
        raise InvalidInput(
            f"A memory has 1 to {MAX_MEMORY} characters.", fields={"content": "has another length"}
        )
    return fact
