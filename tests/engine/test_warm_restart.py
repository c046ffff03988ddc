"""What was read once is not read again: after a kill, after a restart, for nobody else."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import llama_cpp
import pytest

import allerac
from allerac.engine.prefix_file import owner_of
from allerac.engine.prefix_key import prefix_key
from allerac.engine.process import connect_to, spawn_in
from allerac.engine.protocol import ModelFile, Sampling, Usage
from allerac.engine.supervisor import EngineSupervisor
from tests.engine.asking import (
    RESTART_SECONDS,
    end_of,
    events_of,
    first_words,
    random_model,
    request,
)
from tests.engine.kept_files import owners_in
from tests.engine.socket_activation import socket_activation
from tests.engine.tiny_model import write_tiny_model

QUESTION = "".join(f"The code of locker {number} is {number * 37}. " for number in range(40))
SHORT = Sampling(0.0, max_tokens=4)
STORE_BYTES = 50_000_000


def warm_model(path: Path) -> ModelFile:
    return replace(random_model(path), prefix_store_bytes=STORE_BYTES)


@asynccontextmanager
async def running(state_dir: Path, model: ModelFile) -> AsyncIterator[EngineSupervisor]:
    engine = EngineSupervisor(launch=spawn_in(state_dir))
    await engine.start()
    try:
        await engine.load(model)
        yield engine
    finally:
        await engine.stop()


async def usage(engine: EngineSupervisor, *turns: str, person: str = "ada") -> Usage:
    asked = request(*turns, model="random", sampling=SHORT, person=person)
    return end_of(await events_of(engine, asked)).usage


async def until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(RESTART_SECONDS):
        while not claim():  # noqa: ASYNC110 - a file has no event to wait for
            await asyncio.sleep(0.02)


def files_in(state_dir: Path) -> list[Path]:
    return list(state_dir.rglob("*.kv"))


def kept_bytes(state_dir: Path) -> int:
    size = 0
    for file in files_in(state_dir):
        with suppress(FileNotFoundError):  # deleted since it was listed
            size += file.stat().st_size
    return size


async def kept(state_dir: Path, tokens: int) -> None:
    """Wait until all but a last small piece of a prompt is on disk; f16, 2 layers, 32 wide."""
    await until(lambda: kept_bytes(state_dir) >= (tokens - 32) * 256)


async def read_by(engine: EngineSupervisor, state_dir: Path, *people: str) -> None:
    """Let each of `people` ask, and wait until all of that is on disk."""
    tokens = 0
    for person in people:
        tokens += (await usage(engine, QUESTION, person=person)).prompt_tokens
        await kept(state_dir, tokens - 32 * len(people))


async def test_conversation_is_warm_after_a_kill(tmp_path: Path, tiny_path: Path) -> None:
    async with running(tmp_path, warm_model(tiny_path)) as engine:
        cold = await usage(engine, QUESTION)
        assert cold.cached_tokens == 0
        await kept(tmp_path, cold.prompt_tokens)
        pid = engine.status().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: engine.status().restarts == 1 and engine.status().state == "ready")
        warm = await usage(engine, QUESTION)
    assert warm.cached_tokens > 0.9 * warm.prompt_tokens


async def test_conversation_is_warm_after_a_restart_and_goes_on(
    tmp_path: Path, tiny_path: Path
) -> None:
    async with running(tmp_path, warm_model(tiny_path)) as engine:
        cold = await usage(engine, QUESTION)
        await kept(tmp_path, cold.prompt_tokens)
    async with running(tmp_path, warm_model(tiny_path)) as engine:
        next_turn = await usage(engine, QUESTION, "Yes.", "And the next one?")
        assert next_turn.cached_tokens > 0.9 * cold.prompt_tokens
        assert next_turn.cached_tokens < next_turn.prompt_tokens


async def test_restored_prefix_gives_the_same_words(tmp_path: Path, tiny_path: Path) -> None:
    """Positions are exact; only rounding may differ, so the best of random weights mostly agree."""
    asked = request(QUESTION, model="random", sampling=Sampling(0.0, max_tokens=12))
    again = replace(asked, request_id="again")
    async with running(tmp_path, warm_model(tiny_path)) as engine:
        before = await events_of(engine, asked)
        await kept(tmp_path, end_of(before).usage.prompt_tokens)
    async with running(tmp_path, warm_model(tiny_path)) as engine:
        after = await events_of(engine, again)
    assert end_of(after).usage.cached_tokens > 0
    said = ["".join(e.text for e in events if hasattr(e, "text")) for events in (before, after)]
    assert said[0][:2] == said[1][:2]


async def test_nobody_else_finds_it_after_a_restart(tmp_path: Path, tiny_path: Path) -> None:
    async with running(tmp_path, warm_model(tiny_path)) as engine:
        cold = await usage(engine, QUESTION)
        await kept(tmp_path, cold.prompt_tokens)
    async with running(tmp_path, warm_model(tiny_path)) as engine:
        assert (await usage(engine, QUESTION, person="bob")).cached_tokens == 0


async def test_other_weights_under_the_same_name_read_again(
    tmp_path: Path, tiny_path: Path
) -> None:
    async with running(tmp_path, warm_model(tiny_path)) as engine:
        cold = await usage(engine, QUESTION)
        await kept(tmp_path, cold.prompt_tokens)
    other = write_tiny_model(tmp_path / "tiny.gguf", context_length=4096, seed=1)
    async with running(tmp_path, warm_model(other)) as engine:
        assert (await usage(engine, QUESTION)).cached_tokens == 0


def test_key_tells_models_and_cache_types_apart(tmp_path: Path, tiny_path: Path) -> None:
    other = write_tiny_model(tmp_path / "tiny.gguf", context_length=4096, seed=1)
    keys = {prefix_key(tiny_path, "f16"), prefix_key(tiny_path, "q8_0"), prefix_key(other, "f16")}
    assert len(keys) == 3
    assert prefix_key(tiny_path, "f16") in keys


@pytest.mark.parametrize("keep_bytes", [0, 100, 5000])
async def test_damaged_files_cost_reading_again_only(
    tmp_path: Path, tiny_path: Path, keep_bytes: int
) -> None:
    async with running(tmp_path, warm_model(tiny_path)) as engine:
        cold = await usage(engine, QUESTION)
        await kept(tmp_path, cold.prompt_tokens)
    async with running(tmp_path, warm_model(tiny_path)) as engine:
        pid = engine.status().pid
        for file in files_in(tmp_path):
            file.write_bytes(file.read_bytes()[:keep_bytes] + b"\x00" * 64)
        again = await usage(engine, QUESTION)
        assert again.cached_tokens == 0
        assert again.completion_tokens > 0
        assert engine.status().pid == pid


async def test_forgotten_person_is_read_again(tmp_path: Path, tiny_path: Path) -> None:
    async with running(tmp_path, warm_model(tiny_path)) as engine:
        cold = await usage(engine, QUESTION)
        await kept(tmp_path, cold.prompt_tokens)
        engine.forget("ada")
        await until(lambda: kept_bytes(tmp_path) == 0)
        assert (await usage(engine, QUESTION)).cached_tokens == 0


async def test_running_answer_of_whoever_is_forgotten_ends_and_leaves_nothing(
    tmp_path: Path, tiny_path: Path
) -> None:
    async with running(tmp_path, warm_model(tiny_path)) as engine:
        asked = request(QUESTION, model="random", sampling=Sampling(1.0, seed=1))
        stream = engine.generate(asked)
        await first_words(stream)
        engine.forget("ada")
        assert end_of([event async for event in stream]).reason == "cancelled"
        again = request("And now?", model="random", sampling=SHORT)
        assert end_of(await events_of(engine, again)).reason == "cancelled"
        other = await usage(engine, QUESTION, person="bob")
        await kept(tmp_path, other.prompt_tokens)
    assert set(owners_in(tmp_path)) == {owner_of("bob")}


async def test_person_is_forgotten_by_the_next_model_where_none_is_loaded(
    tmp_path: Path, tiny_path: Path
) -> None:
    async with running(tmp_path, warm_model(tiny_path)) as engine:
        await read_by(engine, tmp_path, "ada", "bob")
        await engine.unload()
        engine.forget("ada")
        await engine.load(random_model(tiny_path))  # which keeps nothing itself
        await until(lambda: set(owners_in(tmp_path)) == {owner_of("bob")})


async def test_whoever_left_while_the_box_was_off_is_forgotten(
    tmp_path: Path, tiny_path: Path
) -> None:
    async with running(tmp_path, warm_model(tiny_path)) as engine:
        await read_by(engine, tmp_path, "ada", "bob")
    engine = EngineSupervisor(launch=spawn_in(tmp_path))
    engine.keep_only(["bob"])
    await engine.start()
    await engine.load(warm_model(tiny_path))
    await until(lambda: set(owners_in(tmp_path)) == {owner_of("bob")})
    assert (await usage(engine, QUESTION, person="bob")).cached_tokens > 0
    await engine.stop()


async def test_nothing_is_kept_without_a_place_or_a_size(tmp_path: Path, tiny_path: Path) -> None:
    async with running(tmp_path, random_model(tiny_path)) as engine:
        await usage(engine, QUESTION)
    assert files_in(tmp_path) == []


def _newer_runtime(folder: Path) -> Path:
    """Copy the runtime as an update brings it: other code, another version."""
    copy = folder / "allerac"
    shutil.copytree(
        Path(allerac.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__")
    )
    for file in copy.rglob("*.py"):
        file.write_text(f"{file.read_text('utf-8')}\n# as it is in the next version\n", "utf-8")
    module = copy / "__init__.py"
    version = f'__version__ = "{allerac.__version__}"'
    assert version in module.read_text("utf-8")
    module.write_text(module.read_text("utf-8").replace(version, '__version__ = "99.0.0"'), "utf-8")
    return folder


def _newer_engine(folder: Path) -> Path:
    """Copy the binding with another build of llama.cpp: a byte behind its end changes nothing."""
    shutil.copytree(Path(llama_cpp.__file__).parent, folder / "llama_cpp", symlinks=True)
    library = (folder / "llama_cpp/lib/libllama.so").resolve()
    assert library.is_relative_to(folder)
    library.write_bytes(library.read_bytes() + b"\x00")
    return folder


@pytest.mark.parametrize(("newer", "is_warm"), [(_newer_runtime, True), (_newer_engine, False)])
async def test_update_of_the_runtime_leaves_what_was_read_and_one_of_the_engine_does_not(
    tmp_path: Path, tiny_path: Path, newer: Callable[[Path], Path], is_warm: bool
) -> None:
    state_dir = tmp_path / "state"
    async with running(state_dir, warm_model(tiny_path)) as engine:
        cold = await usage(engine, QUESTION)
        await kept(state_dir, cold.prompt_tokens)
    unchanged = Path(allerac.__file__).parents[1]
    packages = os.pathsep.join(map(str, (newer(tmp_path / "newer"), unchanged)))
    places = {"STATE_DIRECTORY": str(state_dir), "PYTHONPATH": packages}
    with socket_activation(tmp_path / "engine.sock", environment=places):
        engine = EngineSupervisor(launch=connect_to(tmp_path / "engine.sock"))
        await engine.start()
        try:
            await engine.load(warm_model(tiny_path))
            again = await usage(engine, QUESTION)
        finally:
            await engine.stop()
    assert again.prompt_tokens == cold.prompt_tokens
    assert (again.cached_tokens > 0.9 * again.prompt_tokens) == is_warm
    assert is_warm or again.cached_tokens == 0


async def test_process_that_systemd_starts_keeps_it_where_systemd_says(
    tmp_path: Path, tiny_path: Path
) -> None:
    path, state_dir = tmp_path / "engine.sock", tmp_path / "state"
    for expected in (0, 1):
        with socket_activation(path, environment={"STATE_DIRECTORY": str(state_dir)}):
            engine = EngineSupervisor(launch=connect_to(path))
            await engine.start()
            await engine.load(warm_model(tiny_path))
            read = await usage(engine, QUESTION)
            await kept(state_dir, read.prompt_tokens)
            await engine.stop()
        path.unlink()
        assert (read.cached_tokens > 0.9 * read.prompt_tokens) == bool(expected)
