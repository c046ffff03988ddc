"""Passages are ranked by the real llama.cpp, with a head that reads question and text together."""

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from allerac.engine.embedding import EmbeddingSupervisor
from allerac.engine.protocol import ModelFile
from allerac.errors import EngineUnavailable, ModelDamaged
from tests.engine.tiny_reranker import write_tiny_reranker

QUESTION = "who repairs the boiler"


def ranking_model(path: Path) -> ModelFile:
    return ModelFile(model_id="r", path=path, context_length=256, threads=1, purpose="reranker")


@pytest_asyncio.fixture
async def ranker(tmp_path: Path) -> AsyncIterator[EmbeddingSupervisor]:
    supervisor = EmbeddingSupervisor()
    await supervisor.load(ranking_model(write_tiny_reranker(tmp_path / "ranker.gguf")))
    yield supervisor
    await supervisor.stop()


async def test_text_that_says_more_of_it_scores_higher(ranker: EmbeddingSupervisor) -> None:
    texts = ["the roof is green", "the boiler is old", "boiler boiler boiler", ""]
    scores = await ranker.rank(QUESTION, texts)
    assert scores[2] > scores[1] > scores[0]
    assert len(scores) == len(texts)


async def test_question_is_read_with_each_text(ranker: EmbeddingSupervisor) -> None:
    (named,) = await ranker.rank("the boiler", ["the roof is green"])
    (other,) = await ranker.rank("the garden", ["the roof is green"])
    assert named > other


@pytest.mark.parametrize("text", ["the gate " * 5000, "x" * 100_000, "\0\ud800"])
async def test_any_pair_has_a_score(ranker: EmbeddingSupervisor, text: str) -> None:
    assert len(await ranker.rank(text, [text])) == 1


async def test_ranking_survives_the_death_of_the_process(ranker: EmbeddingSupervisor) -> None:
    before = await ranker.rank(QUESTION, ["the boiler is old"])
    assert ranker.pid is not None
    os.kill(ranker.pid, signal.SIGKILL)
    assert await ranker.rank(QUESTION, ["the boiler is old"]) == before


async def test_model_that_ranks_is_refused_where_documents_are_read(tmp_path: Path) -> None:
    path = write_tiny_reranker(tmp_path / "ranker.gguf")
    supervisor = EmbeddingSupervisor()
    with pytest.raises(ModelDamaged):
        await supervisor.load(replace(ranking_model(path), purpose="embedding"))
    with pytest.raises(EngineUnavailable):
        await supervisor.rank(QUESTION, ["anything"])
    await supervisor.stop()
