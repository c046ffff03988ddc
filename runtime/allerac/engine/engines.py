"""All engines as one: what is asked of a model elsewhere goes there, the rest to this box."""

from collections.abc import AsyncGenerator, Callable, Sequence

from allerac.engine.protocol import (
    Engine,
    EngineEvent,
    EngineStatus,
    GenerationRequest,
    ModelFile,
    PromptMessage,
)
from allerac.engine.remote import RemoteEngine

Route = Callable[[str], tuple[RemoteEngine, str] | None]
"""From a model's id to the engine that has it and its name there; None for models of this box."""


class Engines:
    """Implements `allerac.engine.protocol.Engine` over the local engine and those elsewhere."""

    def __init__(self, local: Engine, route: Route) -> None:
        self._local = local
        self._route = route

    async def start(self) -> None:
        """Start the local one; there is nothing to start elsewhere."""
        await self._local.start()

    async def stop(self) -> None:
        """Stop the local one."""
        await self._local.stop()

    async def load(self, model: ModelFile) -> None:
        """Load a model on this box."""
        await self._local.load(model)

    async def unload(self) -> None:
        """Free the memory of this box."""
        await self._local.unload()

    def generate(self, request: GenerationRequest) -> AsyncGenerator[EngineEvent, None]:
        """Answer where the model is; see `Engine.generate`."""
        found = self._route(request.model_id)
        if found is None:
            return self._local.generate(request)
        engine, model = found
        return engine.generate(request, model)

    async def count_tokens(self, messages: Sequence[PromptMessage]) -> int:
        """Count by the tokenizer of this box."""
        return await self._local.count_tokens(messages)

    def status(self) -> EngineStatus:
        """The local one's."""
        return self._local.status()
