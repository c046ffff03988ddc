"""Our engine as the benchmarks ask it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Final

from allerac.engine.process import spawn_in
from allerac.engine.protocol import Delta, GenerationRequest, ModelFile, PromptMessage, Sampling
from allerac.engine.supervisor import EngineSupervisor
from benchmarks.llama_server import RULES, ServerSettings

CONTEXT_LENGTH: Final = 4096
STORE_BYTES: Final = 2_000_000_000


class Ours:
    """Our engine, asked as the runtime asks it."""

    def __init__(self, engine: EngineSupervisor) -> None:
        self.engine = engine
        self._numbers = count()

    @property
    def pid(self) -> int:
        pid = self.engine.status().pid
        if pid is None:
            raise RuntimeError("the engine does not run")
        return pid

    async def stream(self, prompt: str, tokens: int, person: str = "ada") -> AsyncIterator[int]:
        messages = (PromptMessage("user", prompt),)
        async for amount in self.converse(messages, tokens, person):
            yield amount

    async def converse(
        self, messages: tuple[PromptMessage, ...], tokens: int, person: str = "ada"
    ) -> AsyncIterator[int]:
        request = GenerationRequest(
            f"r{next(self._numbers)}",
            "random",
            person,
            messages,
            Sampling(**RULES, max_tokens=tokens),  # type: ignore[arg-type]  # top_k is whole
        )
        async for event in self.engine.generate(request):
            if isinstance(event, Delta) and event.tokens:
                yield event.tokens


def model_file(settings: ServerSettings) -> ModelFile:
    """What the engine is asked to load."""
    return ModelFile(
        model_id="random",
        path=settings.model,
        context_length=CONTEXT_LENGTH,
        threads=settings.threads,
        sequences=settings.sequences,
        cache_tokens=settings.cells,
        prefix_store_bytes=STORE_BYTES,
    )


@asynccontextmanager
async def running_ours(settings: ServerSettings, state_dir: Path) -> AsyncIterator[Ours]:
    """Our engine with the same model, threads and cells."""
    engine = EngineSupervisor(launch=spawn_in(state_dir))
    await engine.start()
    try:
        await engine.load(model_file(settings))
        await engine.calibrate()
        yield Ours(engine)
    finally:
        await engine.stop()
