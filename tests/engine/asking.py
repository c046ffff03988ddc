"""Asking the engine in one line, as the tests do."""

import os
from collections.abc import AsyncGenerator, Sequence
from itertools import count
from pathlib import Path
from typing import Final

from allerac.engine.protocol import (
    Delta,
    EngineEvent,
    Finished,
    GenerationRequest,
    ModelFile,
    Priority,
    PromptMessage,
    Role,
    Sampling,
)
from allerac.engine.supervisor import EngineSupervisor

DEMO: Final = Path(__file__).parents[2] / "demo_model" / "allerac-demo-q8_0.gguf"
PASSWORD: Final = "The wifi password is blue-otter-42.\n\nWhat is the wifi password?"  # noqa: S105
RESTART_SECONDS: Final = 10.0 * float(os.environ.get("ALLERAC_TEST_TIME_FACTOR", "1"))
GREEDY: Final = Sampling(temperature=0.0)

_NUMBERS: Final = count(1)


def demo_model(**changes: int) -> ModelFile:
    return ModelFile(
        model_id="demo",
        path=DEMO,
        threads=1,
        **{"context_length": 1024, **changes},  # type: ignore[arg-type]
    )


def random_model(path: Path, *, context_length: int = 4096, sequences: int = 4) -> ModelFile:
    return ModelFile(
        model_id="random",
        path=path,
        context_length=context_length,
        threads=1,
        sequences=sequences,
    )


def request(
    *turns: str,
    sampling: Sampling = GREEDY,
    person: str = "ada",
    model: str = "demo",
    priority: Priority = "interactive",
) -> GenerationRequest:
    """A request whose `turns` begin with the person and alternate."""
    roles: Sequence[Role] = ("user", "assistant")
    messages = tuple(PromptMessage(roles[i % 2], turn) for i, turn in enumerate(turns))
    return GenerationRequest(
        f"request-{next(_NUMBERS)}", model, person, messages, sampling, priority
    )


async def events_of(engine: EngineSupervisor, asked: GenerationRequest) -> list[EngineEvent]:
    return [event async for event in engine.generate(asked)]


def text_of(events: Sequence[EngineEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def end_of(events: Sequence[EngineEvent]) -> Finished:
    last = events[-1]
    assert isinstance(last, Finished)
    return last


async def first_words(stream: AsyncGenerator[EngineEvent, None]) -> str:
    """Read `stream` until it has said something."""
    async for event in stream:
        if isinstance(event, Delta):
            return event.text
    return ""
