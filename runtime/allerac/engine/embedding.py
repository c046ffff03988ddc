"""Embeddings and ranks, as the runtime has them: made in a process of their own for each model."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, Protocol

from allerac.engine.keeper import EngineKeeper
from allerac.engine.process import Launch, spawn
from allerac.engine.protocol import EngineState, ModelFile
from allerac.engine.wire import (
    Embed,
    Embedded,
    Measure,
    Measured,
    Rank,
    Ranked,
    ServingReport,
)
from allerac.errors import AlleracError, EngineUnavailable

HANG_SECONDS: Final = 30.0
TRIES: Final = 2
FLOAT_BYTES: Final = 4


class Embedder(Protocol):
    """Turns texts into vectors of length 1, float32 in little endian."""

    async def load(self, model: ModelFile) -> None:
        """Return when `model` answers. Raises `ModelDamaged` or `EngineUnavailable`."""

    async def embed(self, texts: Sequence[str]) -> list[bytes]:
        """Return a vector per text. Raises `EngineUnavailable`."""

    async def measure(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text. Raises `EngineUnavailable`."""


class Ranker(Protocol):
    """Tells how well texts answer a question."""

    async def load(self, model: ModelFile) -> None:
        """See `Embedder.load`; the model's purpose is to rerank."""

    async def rank(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return a score per text, the larger the better. Raises `EngineUnavailable`."""


_Command = Embed | Measure | Rank
_Answer = Embedded | Measured | Ranked


@dataclass(slots=True)
class _Asked:
    command: _Command
    answer: "asyncio.Future[_Answer]"
    tries: int = 1


class EmbeddingSupervisor:
    """The local `Embedder` and `Ranker`, by what the model that it has loaded is for.

    A request whose process dies is sent again to the next one, once.
    """

    def __init__(self, *, launch: Launch = spawn, hang_seconds: float = HANG_SECONDS) -> None:
        self._keeper = EngineKeeper(self, launch=launch, hang_seconds=hang_seconds)
        self._switch = asyncio.Lock()
        self._asked: dict[str, _Asked] = {}
        self._numbers = count()
        self._is_stopped = False

    @property
    def state(self) -> EngineState:
        """What the process is doing."""
        return self._keeper.state

    @property
    def pid(self) -> int | None:
        """The process's id, where there is one."""
        return self._keeper.pid

    @property
    def restarts(self) -> int:
        """How often the process was replaced."""
        return self._keeper.restarts

    async def load(self, model: ModelFile) -> None:
        """See `Embedder.load`; the process of another model ends first."""
        async with self._switch:
            if self._is_stopped:
                raise _unavailable("Allerac is shutting down.")
            if model == self._keeper.model:
                return
            await self._keeper.halt()
            self._fail_all(_unavailable())
            await self._keeper.begin(model)

    async def stop(self) -> None:
        """End the process; who waits gets `EngineUnavailable`."""
        self._is_stopped = True
        self._fail_all(_unavailable("Allerac is shutting down."))
        async with self._switch:
            await self._keeper.halt()

    async def embed(self, texts: Sequence[str]) -> list[bytes]:
        """See `Embedder.embed`."""
        if not texts:
            return []
        answer = await self._ask(Embed(self._next_id(), tuple(texts)))
        data = answer.vectors if isinstance(answer, Embedded) else b""
        size = len(data) // len(texts)
        if not size or size * len(texts) != len(data) or size % FLOAT_BYTES:
            raise _unavailable()
        return [data[start : start + size] for start in range(0, len(data), size)]

    async def measure(self, texts: Sequence[str]) -> list[int]:
        """See `Embedder.measure`."""
        if not texts:
            return []
        answer = await self._ask(Measure(self._next_id(), tuple(texts)))
        return list(answer.tokens) if isinstance(answer, Measured) else []

    async def rank(self, question: str, texts: Sequence[str]) -> list[float]:
        """See `Ranker.rank`."""
        if not texts:
            return []
        answer = await self._ask(Rank(self._next_id(), question, tuple(texts)))
        if not isinstance(answer, Ranked) or len(answer.scores) != len(texts):
            raise _unavailable()
        return list(answer.scores)

    # Watcher of the process

    def on_report(self, report: ServingReport) -> None:
        """Hand an answer to who waits for it."""
        if isinstance(report, _Answer):
            self._keeper.failures = 0
            asked = self._asked.get(report.request_id)
            if asked is not None and not asked.answer.done():
                asked.answer.set_result(report)

    def on_lost(self) -> None:
        """Give up what has died with a process twice: it may be the cause."""
        for asked in self._asked.values():
            asked.tries += 1
            if asked.tries > TRIES and not asked.answer.done():
                asked.answer.set_exception(_unavailable())

    def on_ready(self) -> None:
        """Ask again what the process before did not answer."""
        for asked in self._asked.values():
            if not asked.answer.done():
                self._keeper.send(asked.command)

    def on_failed(self) -> None:
        """Nobody shall wait for a process that does not come back."""
        self._fail_all(_unavailable())

    def _next_id(self) -> str:
        return f"embed-{next(self._numbers)}"

    async def _ask(self, command: _Command) -> _Answer:
        if self._keeper.model is None or self._keeper.state in ("stopped", "failed"):
            raise _unavailable()
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._asked[command.request_id] = _Asked(command, answer)
        if self._keeper.state == "ready":
            self._keeper.send(command)
        try:
            return await answer
        finally:
            del self._asked[command.request_id]

    def _fail_all(self, error: AlleracError) -> None:
        for asked in self._asked.values():
            if not asked.answer.done():
                asked.answer.set_exception(error)


def _unavailable(
    message: str = "The model that reads documents is not ready.",
) -> EngineUnavailable:
    return EngineUnavailable(message, hint="Try again in a moment.")
