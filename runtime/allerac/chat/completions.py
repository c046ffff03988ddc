"""Answers for programs: one prompt in, one stream out, nothing stored."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
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

    def answer_tokens(self, model_id: str) -> int:
        """Where an answer of this model is cut at the latest."""


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer that has begun, or several to one prompt.

    Each of `choices` yields events, from the first that is not about waiting.
    """

    id: str
    model_id: str
    choices: tuple[AsyncGenerator[EngineEvent, None], ...]


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
        number: int = 1,
        tools: tuple[str, ...] = (),
        required_tools: tuple[str, ...] = (),
    ) -> Completion:
        """Start `number` answers and return once the engine has taken the prompt.

        Raises `InvalidInput` without messages, `NotFound` for a model that is not on board,
        `ContextTooLong`, `QueueFull`, `EngineUnavailable`, `EngineStopped`.
        """
        if not messages:
            raise InvalidInput(
                "There are no messages to answer.", fields={"messages": "must not be empty"}
            )
        chosen = model_id or await self._models.default_model_id()
        await self._models.ensure_loaded(chosen)
        completion_id = new_id()
        if sampling.max_tokens is None:
            sampling = replace(sampling, max_tokens=self._models.answer_tokens(chosen))
        choices: list[AsyncGenerator[EngineEvent, None]] = []
        try:
            for index in range(number):
                request = GenerationRequest(
                    request_id=f"{completion_id}-{index}",
                    model_id=chosen,
                    person_id=person_id,
                    messages=tuple(messages),
                    sampling=_another(sampling, index),
                    priority="api",
                    tools=tools,
                    required_tools=required_tools,
                )
                choices.append(await _begun(self._engine.generate(request)))
        except BaseException:
            for choice in choices:
                await choice.aclose()
            raise
        return Completion(completion_id, chosen, tuple(choices))


def _another(sampling: Sampling, index: int) -> Sampling:
    """The same way to choose, with luck of its own."""
    if sampling.seed is None or not index:
        return sampling
    return replace(sampling, seed=sampling.seed + index)


async def _begun(
    events: AsyncGenerator[EngineEvent, None],
) -> AsyncGenerator[EngineEvent, None]:
    first = await anext(events)
    while isinstance(first, Queued):
        first = await anext(events)
    return _rejoin(first, events)


async def _rejoin(
    first: EngineEvent, rest: AsyncGenerator[EngineEvent, None]
) -> AsyncGenerator[EngineEvent, None]:
    try:
        yield first
        async for event in rest:
            yield event
    finally:
        await rest.aclose()
