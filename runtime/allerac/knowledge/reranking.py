"""A second look at the best passages, by a model that reads question and passage together.

Optional: only where the box has such a model, and only at as many passages as it reads in the time
that a person may be kept waiting for it.
"""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from allerac.engine.embedding import Ranker
from allerac.engine.protocol import ModelFile
from allerac.errors import EngineUnavailable, ModelDamaged

log = structlog.get_logger()

SECONDS: Final = 3.0
"""What is waited for it beside the passages' own reading, which takes up to 20."""
AT_FIRST: Final = 4
"""So many passages are ranked as long as it is not known how fast that is."""
MOST: Final = 20
FAILED_SECONDS: Final = 600.0
"""How long a model that does not load is left alone."""
FORGOTTEN_SECONDS: Final = 600.0
"""A box that was too busy once is tried again after so long."""


class RankingModels(Protocol):
    """Says which model ranks now; None when there is none on board."""

    def current(self) -> ModelFile | None:
        """The one to use."""


class TimedReranker:
    """Implements `allerac.knowledge.retrieval.Reranker` within a time."""

    def __init__(
        self,
        ranker: Ranker,
        models: RankingModels,
        *,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._ranker = ranker
        self._models = models
        self._seconds = seconds
        self._seconds_per_character: float | None = None
        self._measured_at = 0.0
        self._loading: tuple[ModelFile, asyncio.Task[None]] | None = None
        self._not_before = -math.inf

    async def rerank(self, question: str, texts: Sequence[str]) -> list[int]:
        """Return the positions of `texts`, best first; those that were not ranked stay behind.

        Where no model is there, or it fails or takes too long, all stay where they are.
        """
        model, count = self._models.current(), self._affordable(question, texts)
        if model is None or count <= 1 or self._clock() < self._not_before:
            return list(range(len(texts)))
        try:
            async with asyncio.timeout(2 * self._seconds):
                await self._loaded(model)
                began = self._clock()
                scores = await self._ranker.rank(question, texts[:count])
        except (EngineUnavailable, ModelDamaged, TimeoutError) as error:
            self._give_up(error)
            return list(range(len(texts)))
        read = sum(len(question) + len(text) for text in texts[:count])
        self._measured_at = self._clock()
        self._seconds_per_character = (self._measured_at - began) / max(1, read)
        ranked = sorted(range(count), key=lambda at: (-scores[at], at))
        return [*ranked, *range(count, len(texts))]

    async def _loaded(self, model: ModelFile) -> None:
        """Return once `model` is loaded; whoever waits no longer does not end that."""
        if self._loading is None or self._loading[0] != model:
            self._loading = model, asyncio.create_task(self._ranker.load(model))
        try:
            await asyncio.shield(self._loading[1])
        except (EngineUnavailable, ModelDamaged):
            self._loading = None
            raise

    def _give_up(self, error: Exception) -> None:
        """Leave the model alone for a while, unless it is still being loaded."""
        log.warning("not_reranked", reason=type(error).__name__)
        if self._loading is None or self._loading[1].done():
            self._not_before = self._clock() + FAILED_SECONDS

    def _affordable(self, question: str, texts: Sequence[str]) -> int:
        """Return how many texts, from the first on, are read in time."""
        is_old = self._clock() - self._measured_at > FORGOTTEN_SECONDS
        if self._seconds_per_character is None or is_old:
            return min(AT_FIRST, len(texts))
        left, count = self._seconds, 0
        for text in texts[:MOST]:
            left -= self._seconds_per_character * (len(question) + len(text))
            if left < 0:
                break
            count += 1
        return count
