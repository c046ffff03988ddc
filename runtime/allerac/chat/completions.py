"""Answers for programs: one prompt in, one stream out, nothing stored."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from allerac.engine.protocol import (
    Engine,
    EngineEvent,
    GenerationRequest,
    PromptMessage,
    Queued,
    Sampling,
)
from allerac.errors import InvalidInput
from allerac.storage.ids import new_id


class ServedModel(Protocol):
    """A model that programs may name. `created` is in seconds since the Unix epoch."""

    @property
    def id(self) -> str:
        """The name that programs use."""

    @property
    def created(self) -> int:
        """When the file came."""


class ServedModels(Protocol):
    """Which models are on board, and the way to have one answer."""

    async def served(self) -> Sequence[ServedModel]:
        """Models on board."""

    async def default_model_id(self) -> str:
        """The household's model. Raises `EngineUnavailable` when there is none."""

    async def ensure_loaded(self, model_id: str) -> None:
        """Return when `model_id` answers. Raises `NotFound`, `ModelDamaged`, …"""


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer that has begun: its events, from the first that is not about waiting."""

    id: str
    model_id: str
    events: AsyncIterator[EngineEvent]


class CompletionService:
    """Turns a program's request into engine events."""

    def __init__(self, *, engine: Engine, models: ServedModels) -> None:
        self._engine = engine
        self._models = models

    async def list_models(self) -> Sequence[ServedModel]:
        """List what a program may name."""
        return await self._models.served()

    async def begin(
        self,
        person_id: str,
        *,
        model_id: str | None,
        messages: Sequence[PromptMessage],
        sampling: Sampling,
    ) -> Completion:
        """Start an answer and return once the engine has taken the prompt.

        Raises `InvalidInput` without messages, `NotFound` for a model that is not on board,
        `ContextTooLong`, `QueueFull`, `EngineUnavailable`, `EngineStopped`.
        """
        if not messages:
            raise InvalidInput(
                "There are no messages to answer.", fields={"messages": "must not be empty"}
            )
        chosen = model_id or await self._models.default_model_id()
        await self._models.ensure_loaded(chosen)
        request = GenerationRequest(
            request_id=new_id(),
            model_id=chosen,
            person_id=person_id,
            messages=tuple(messages),
            sampling=sampling,
            priority="api",
        )
        events = self._engine.generate(request)
        first = await anext(events)
        while isinstance(first, Queued):
            first = await anext(events)
        return Completion(request.request_id, chosen, _rejoin(first, events))


async def _rejoin(
    first: EngineEvent, rest: AsyncGenerator[EngineEvent, None]
) -> AsyncIterator[EngineEvent]:
    try:
        yield first
        async for event in rest:
            yield event
    finally:
        await rest.aclose()
