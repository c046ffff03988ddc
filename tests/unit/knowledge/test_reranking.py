"""The best passages get a second look, as far as the time goes, and nothing is lost without it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from allerac.engine.protocol import ModelFile
from allerac.errors import EngineUnavailable
from allerac.knowledge.reranking import (
    AT_FIRST,
    FAILED_SECONDS,
    FORGOTTEN_SECONDS,
    MOST,
    TimedReranker,
)

MODEL = ModelFile(model_id="r", path=Path("r"), context_length=512, threads=1, purpose="reranker")
TEXTS = [f"{'boiler ' * (at % 7)}{at:03}".ljust(100, ".") for at in range(30)]


@dataclass(slots=True)
class CountingRanker:
    """Scores by how often the boiler is named; each character takes its time by a clock of ours."""

    seconds_per_character: float = 0.0
    fails: bool = False
    hangs: bool = False
    now: float = 0.0
    loads: int = 0
    asked: list[int] = field(default_factory=list)

    async def load(self, model: ModelFile) -> None:
        """Load it, or fail."""
        self.loads += 1
        if self.fails:
            raise EngineUnavailable("no memory")

    async def rank(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return how often the boiler is named in each text."""
        if self.hangs:
            await asyncio.Event().wait()
        self.asked.append(len(texts))
        self.now += self.seconds_per_character * sum(len(question) + len(text) for text in texts)
        return [float(text.count("boiler")) for text in texts]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A model that ranks, or none."""

    model: ModelFile | None = MODEL

    def current(self) -> ModelFile | None:
        """Return it."""
        return self.model


def timed(ranker: CountingRanker, shelf: Shelf | None = None, seconds: float = 3) -> TimedReranker:
    return TimedReranker(ranker, shelf or Shelf(), seconds=seconds, clock=lambda: ranker.now)


async def test_best_come_first_and_those_not_looked_at_stay_behind_in_their_order() -> None:
    reranker = timed(CountingRanker())
    assert await reranker.rerank("boiler", TEXTS[:6]) == [3, 2, 1, 0, 4, 5]


async def test_as_many_are_looked_at_as_there_is_time_for() -> None:
    ranker = CountingRanker(seconds_per_character=0.003)
    reranker = timed(ranker)
    for _ in range(3):
        order = await reranker.rerank("boiler", TEXTS)
        assert sorted(order) == list(range(len(TEXTS)))
    assert ranker.asked == [AT_FIRST, 9, 9]
    ranker.seconds_per_character = 0.0
    for _ in range(2):
        await reranker.rerank("boiler", TEXTS)
    assert ranker.asked[-1] == MOST


async def test_box_too_slow_for_two_keeps_the_order() -> None:
    ranker = CountingRanker(seconds_per_character=0.02)
    reranker = timed(ranker)
    await reranker.rerank("boiler", TEXTS)
    assert await reranker.rerank("boiler", TEXTS) == list(range(len(TEXTS)))
    assert ranker.asked == [AT_FIRST]
    ranker.now += FORGOTTEN_SECONDS + 1
    assert (await reranker.rerank("boiler", TEXTS))[0] == AT_FIRST - 1


async def test_without_a_model_all_stay_where_they_are() -> None:
    ranker = CountingRanker()
    assert await timed(ranker, Shelf(None)).rerank("boiler", TEXTS) == list(range(len(TEXTS)))
    assert ranker.loads == 0


async def test_model_that_does_not_load_is_left_alone_for_a_while() -> None:
    ranker = CountingRanker(fails=True)
    reranker = timed(ranker)
    for _ in range(3):
        assert await reranker.rerank("boiler", TEXTS) == list(range(len(TEXTS)))
    assert ranker.loads == 1
    ranker.fails, ranker.now = False, FAILED_SECONDS + 1
    assert (await reranker.rerank("boiler", TEXTS))[0] == AT_FIRST - 1


async def test_model_that_hangs_holds_up_no_answer() -> None:
    ranker = CountingRanker(hangs=True)
    reranker = timed(ranker, seconds=0.01)
    async with asyncio.timeout(10):
        assert await reranker.rerank("boiler", TEXTS) == list(range(len(TEXTS)))


@pytest.mark.parametrize("count", [0, 1])
async def test_nothing_is_asked_where_there_is_nothing_to_order(count: int) -> None:
    ranker = CountingRanker()
    assert await timed(ranker).rerank("boiler", TEXTS[:count]) == list(range(count))
    assert ranker.asked == []
