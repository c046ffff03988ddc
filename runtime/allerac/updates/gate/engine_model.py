"""The engine as the gate speaks with it."""

from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from typing import Final, Protocol

from allerac.engine.protocol import (
    Delta,
    Engine,
    Finished,
    GenerationRequest,
    PromptMessage,
    Sampling,
)
from allerac.errors import EngineUnavailable
from allerac.storage.ids import new_id

from .surroundings import Spoken

PROMPT: Final = "Count from one to fifty in words, with commas between."
MAX_TOKENS: Final = 48

NOBODY: Final = "gate"
"""Whose answer it is: no person's, so it shares nobody's cache."""


CANARY: Final = "canary"


class Indexing(Protocol):
    """The reading of documents, which takes as much of the processor as an answer."""

    def hold(self, reason: str) -> None:
        """Begin no more of it."""

    def release(self, reason: str) -> None:
        """Go on."""


class EngineModel:
    """Asks the runtime's engine; `Model` of the surroundings.

    Documents wait for a canary: a new version that has many to read is no slower for it.
    """

    def __init__(self, engine: Engine, indexing: Indexing | None = None) -> None:
        self._engine = engine
        self._indexing = indexing

    async def loaded(self) -> str | None:
        """Return the model that is ready. Raises `EngineUnavailable` when the engine gave up."""
        status = self._engine.status()
        if status.state == "failed":
            raise EngineUnavailable(status.last_error or "The engine has stopped.")
        return status.model_id if status.state == "ready" else None

    async def canary(self) -> Spoken:
        """Let it answer the same question as always, greedily, as urgently as a person."""
        model_id = await self.loaded()
        if model_id is None:
            raise EngineUnavailable("No model is loaded.")
        request = GenerationRequest(
            request_id=new_id(),
            model_id=model_id,
            person_id=NOBODY,
            messages=(PromptMessage("user", PROMPT),),
            sampling=Sampling(temperature=0.0, max_tokens=MAX_TOKENS),
        )
        with self._alone():
            return await self._answer(request)

    async def _answer(self, request: GenerationRequest) -> Spoken:
        text, speed = "", None
        async with aclosing(self._engine.generate(request)) as events:
            async for event in events:
                if isinstance(event, Delta):
                    text += event.text
                elif isinstance(event, Finished):
                    speed = event.usage.tokens_per_second
        return Spoken(text, speed)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._indexing is None:
            yield
            return
        self._indexing.hold(CANARY)
        try:
            yield
        finally:
            self._indexing.release(CANARY)
