"""A running engine with the demonstration model, and with models of random weights."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from allerac.engine.supervisor import EngineSupervisor
from tests.engine.asking import DEMO, demo_model, random_model
from tests.engine.tiny_model import write_tiny_model


@pytest.fixture(scope="session")
def tiny_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights, bytes for a vocabulary: says nonsense until its context is full."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny.gguf", context_length=4096)


@pytest.fixture
async def supervisor() -> AsyncIterator[EngineSupervisor]:
    """Started, with no model."""
    engine = EngineSupervisor()
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture
async def engine(supervisor: EngineSupervisor) -> EngineSupervisor:
    """The demonstration model is loaded."""
    assert DEMO.exists()
    await supervisor.load(demo_model())
    return supervisor


@pytest.fixture
async def endless(supervisor: EngineSupervisor, tiny_path: Path) -> EngineSupervisor:
    """A model of random weights that hardly ever stops by itself is loaded."""
    await supervisor.load(random_model(tiny_path))
    return supervisor
