"""The engine's process ends by itself and without a word of complaint, whatever it is doing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from allerac.engine.process import EngineProcess, spawn
from allerac.engine.protocol import Delta, Finished, Reading
from allerac.engine.wire import Calibrate, Calibrated, Generate, Load, Loaded, Report, Step
from tests.engine.asking import RESTART_SECONDS, random_model, request
from tests.engine.loop import ENDLESS

LATEST = 40


class Heard:
    """Everything that a process has said so far."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self._came = asyncio.Event()

    def __call__(self, report: Report) -> None:
        self.reports.append(report)
        self._came.set()

    async def until(self, claim: Callable[[list[Report]], bool]) -> None:
        """Wait for what was said to satisfy `claim`."""
        async with asyncio.timeout(RESTART_SECONDS):
            while not claim(self.reports):
                self._came.clear()
                await self._came.wait()


def _has(kind: type) -> Callable[[list[Report]], bool]:
    """Whether an event of this kind came."""

    def has(reports: list[Report]) -> bool:
        steps = [report for report in reports if isinstance(report, Step)]
        return any(isinstance(event, kind) for step in steps for _, event in step.events)

    return has


@asynccontextmanager
async def process(tiny_path: Path, state_dir: Path) -> AsyncIterator[tuple[EngineProcess, Heard]]:
    """A process that is told to load a model; it must end well."""
    heard = Heard()
    started = await spawn(heard, state_dir)
    model = replace(random_model(tiny_path), prefix_store_bytes=50_000_000)
    started.send(Load(model))
    try:
        await heard.until(lambda reports: any(isinstance(one, Loaded) for one in reports))
        yield started, heard
    finally:
        complaints = await started.end()
    assert (started.returncode, complaints) == (0, "")


def _ask(process: EngineProcess, prompt: str, *people: str) -> None:
    for person in people:
        process.send(Generate(request(prompt, model="random", person=person, sampling=ENDLESS)))


async def test_idle_process_ends_well(tiny_path: Path, tmp_path: Path) -> None:
    async with process(tiny_path, tmp_path):
        pass


@pytest.mark.parametrize("kind", [Reading, Delta])
async def test_process_that_reads_or_writes_ends_well(
    tiny_path: Path, tmp_path: Path, kind: type
) -> None:
    async with process(tiny_path, tmp_path) as (engine, heard):
        _ask(engine, "a" * 3000, "ada")
        await heard.until(_has(kind))


async def test_process_that_is_still_preparing_a_prompt_ends_well(
    tiny_path: Path, tmp_path: Path
) -> None:
    async with process(tiny_path, tmp_path) as (engine, _):
        _ask(engine, "a " * 1500, *"abcdefgh")


async def test_process_that_measures_ends_well(tiny_path: Path, tmp_path: Path) -> None:
    async with process(tiny_path, tmp_path) as (engine, heard):
        for number in range(50):
            engine.send(Calibrate(f"c{number}"))
        await heard.until(lambda reports: any(isinstance(one, Calibrated) for one in reports))


async def test_process_that_keeps_what_it_read_ends_well_and_leaves_whole_files(
    tiny_path: Path, tmp_path: Path
) -> None:
    async with process(tiny_path, tmp_path) as (engine, heard):
        short = replace(ENDLESS, max_tokens=1)
        engine.send(Generate(request("a" * 3000, model="random", sampling=short)))
        await heard.until(_has(Finished))
    assert not list(tmp_path.rglob("*.part"))  # noqa: ASYNC240 - a few files


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 21, LATEST])
async def test_process_with_many_answers_ends_well_after_any_of_its_reports(
    tiny_path: Path, tmp_path: Path, count: int
) -> None:
    async with process(tiny_path, tmp_path) as (engine, heard):
        _ask(engine, "a" * 700, "ada", "bob", "eve", "kim", "ada", "lea")
        await heard.until(lambda reports: len(reports) > count)
