"""Texts become vectors through the real llama.cpp, in a process that may die."""

import asyncio
import hashlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from allerac.engine.embedding import EmbeddingSupervisor
from allerac.engine.protocol import ModelFile
from allerac.errors import EngineUnavailable, ModelDamaged
from demo_model import embedding
from tests.engine.tiny_model import write_tiny_model

FILE = Path(embedding.__file__).with_name("allerac-demo-embedding-q8_0.gguf")


def model_at(path: Path) -> ModelFile:
    return ModelFile(model_id="e", path=path, context_length=1024, threads=1, purpose="embedding")


@pytest_asyncio.fixture
async def embedder() -> AsyncIterator[EmbeddingSupervisor]:
    supervisor = EmbeddingSupervisor()
    await supervisor.load(model_at(FILE))
    yield supervisor
    await supervisor.stop()


async def cosine(embedder: EmbeddingSupervisor, first: str, second: str) -> float:
    vectors = [np.frombuffer(data, "<f4") for data in await embedder.embed([first, second])]
    assert np.allclose([np.linalg.norm(vector) for vector in vectors], 1, atol=1e-3)
    return float(vectors[0] @ vectors[1])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_file_in_the_repository_is_what_the_script_writes(tmp_path: Path) -> None:
    written = tmp_path / "again.gguf"
    embedding.write(written)
    assert _sha256(written) == _sha256(FILE)
    assert FILE.stat().st_size < 5_000_000


@pytest.mark.parametrize(
    ("question", "near", "far"),
    [
        ("Who repairs the heater?", "The boiler is serviced by Miller.", "The rent is due."),
        ("Wie lautet das WLAN-Passwort?", "The wifi password is blue.", "The boiler is old."),
        ("When do I pay the rent?", "Die Miete ist am dritten fällig.", "Der Hund bellt."),
        ("boilers", "boiler", "roof"),
    ],
)
async def test_what_means_the_same_is_nearer_than_what_does_not(
    embedder: EmbeddingSupervisor, question: str, near: str, far: str
) -> None:
    assert await cosine(embedder, question, near) > await cosine(embedder, question, far) + 0.1


@pytest.mark.parametrize("text", ["", "x" * 100_000, "word " * 5000, "\0\ud800", "日本語"])
async def test_any_text_has_a_vector(embedder: EmbeddingSupervisor, text: str) -> None:
    (vector,) = await embedder.embed([text])
    assert np.isfinite(np.frombuffer(vector, "<f4")).all()


async def test_tokens_are_counted_for_each_text(embedder: EmbeddingSupervisor) -> None:
    assert await embedder.measure(["", "the boiler", "the boiler is old"]) == [2, 4, 6]


async def test_request_survives_the_death_of_the_process(embedder: EmbeddingSupervisor) -> None:
    first = embedder.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    asked = asyncio.create_task(embedder.embed(["the boiler"]))
    await asyncio.sleep(0)
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(30):
        assert len(await asked) == 1
    assert embedder.restarts == 1
    assert embedder.pid != first


async def test_chat_model_is_refused_where_documents_are_read(tmp_path: Path) -> None:
    supervisor = EmbeddingSupervisor()
    with pytest.raises(ModelDamaged):
        await supervisor.load(model_at(write_tiny_model(tmp_path / "chat.gguf")))
    with pytest.raises(EngineUnavailable):
        await supervisor.embed(["anything"])
    await supervisor.stop()
