"""Inference as people will ask for it, again and again: the load of the burn-in."""

import itertools
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Protocol

from allerac.engine.protocol import (
    Engine,
    Finished,
    GenerationRequest,
    PromptMessage,
    Sampling,
    Usage,
)
from allerac.errors import EngineUnavailable
from allerac.storage.ids import new_id

MAX_TOKENS: Final = 64
SENTENCES: Final = 24
"""Some 300 tokens: reading speed shows, and fits every tier's context."""

NOBODY: Final = "burn-in"


@dataclass(frozen=True, slots=True)
class Pace:
    """Tokens per second of one answer; None where too few were read or written."""

    prefill_tokens_per_second: float | None
    decode_tokens_per_second: float | None


class Load(Protocol):
    """Something that works the unit hard."""

    async def start(self) -> None:
        """Get ready. Raises `AlleracError`."""

    async def answer(self) -> Pace:
        """Do one piece of work. Raises `AlleracError`."""

    async def stop(self) -> None:
        """Let go."""


class InferenceLoad:
    """Asks the engine one long question after the other; `load` has the model loaded."""

    def __init__(
        self, engine: Engine, model_id: str, load: Callable[[str], Awaitable[None]]
    ) -> None:
        self._engine = engine
        self._model_id = model_id
        self._load = load
        self._numbers = itertools.count()

    async def start(self) -> None:
        """Start the engine and load the tier's model."""
        await self._engine.start()
        await self._load(self._model_id)

    async def answer(self) -> Pace:
        """Have a question read that shares no beginning with an earlier one, and answered."""
        request = GenerationRequest(
            request_id=new_id(),
            model_id=self._model_id,
            person_id=NOBODY,
            messages=(PromptMessage("user", _question(next(self._numbers))),),
            sampling=Sampling(temperature=0.0, max_tokens=MAX_TOKENS),
        )
        async with aclosing(self._engine.generate(request)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return _pace(event.usage)
        raise EngineUnavailable("The engine gave no answer.")

    async def stop(self) -> None:
        """Stop the engine."""
        await self._engine.stop()


def _pace(usage: Usage) -> Pace:
    read = usage.prompt_tokens - usage.cached_tokens
    seconds = usage.first_token_seconds
    return Pace(read / seconds if read > 0 and seconds > 0 else None, usage.tokens_per_second)


def _question(number: int) -> str:
    lines = [f"Shelf {number}-{line} holds {line * 7 + number} books." for line in range(SENTENCES)]
    return f"Inventory {number}. {' '.join(lines)} Tell a long story about this library."
