"""A new file is tried where it can do no harm; files broken by chance never take us along."""

import asyncio
import itertools
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from allerac.engine.gguf import read_header
from allerac.engine.supervisor import EngineSupervisor
from allerac.engine.trial import try_model
from allerac.errors import EngineUnavailable, ModelDamaged
from tests.engine import mutants
from tests.engine.asking import PASSWORD, demo_model, events_of, random_model, request, text_of
from tests.engine.tiny_model import write_tiny_model

MUTANTS, MANY_MUTANTS, TRIED = 500, 10_000, 200
STUCK_SECONDS = 30.0


def _deadly(folder: Path) -> Path:
    """A file whose header is right and of which llama.cpp dies: one token's text stands twice."""
    path = write_tiny_model(folder / "deadly.gguf")
    length = (2).to_bytes(8, "little")
    path.write_bytes(path.read_bytes().replace(length + b"th", length + "¡".encode(), 1))
    return path


async def test_good_file_passes_and_leaves_no_process(tiny_path: Path) -> None:
    before = {child.pid for child in psutil.Process().children()}
    await try_model(random_model(tiny_path))
    assert {child.pid for child in psutil.Process().children()} <= before


async def test_file_that_is_none_is_refused_without_a_process(tmp_path: Path) -> None:
    path = tmp_path / "page.gguf"
    path.write_text("<html>not found</html>")
    with pytest.raises(ModelDamaged):
        await try_model(random_model(path))


async def test_trial_of_a_deadly_file_does_not_disturb_who_answers(
    engine: EngineSupervisor, tmp_path: Path
) -> None:
    pid = engine.status().pid
    with pytest.raises(ModelDamaged):
        await try_model(random_model(_deadly(tmp_path)))
    assert "blue-otter-42" in text_of(await events_of(engine, request(PASSWORD)))
    assert engine.status().pid == pid


async def test_trial_that_takes_too_long_is_ended(tiny_path: Path) -> None:
    with pytest.raises(ModelDamaged, match="too long"):
        await try_model(random_model(tiny_path), seconds_limit=0.05)


async def test_lack_of_memory_is_no_fault_of_the_file() -> None:
    with pytest.raises(EngineUnavailable):
        await try_model(replace(demo_model(), memory_limit_bytes=300 << 20))


def _check(number: int, seed: int, folder: Path) -> mutants.Findings:
    findings = mutants.Findings()
    for outcome, seconds in mutants.run(number, seed, folder):
        findings.add(outcome, seconds)
    assert sum(findings.outcomes.values()) == number
    assert findings.outcomes["loads"] < number
    return findings


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_five_hundred_broken_files_are_answered_and_we_live(tmp_path: Path) -> None:
    findings = _check(MUTANTS, 7, tmp_path)
    assert findings.late == findings.outcomes["child hung"]


@pytest.mark.matrix
@pytest.mark.timeout(4 * 3600)
def test_ten_thousand_broken_files_are_answered_and_we_live(tmp_path: Path) -> None:
    assert _check(MANY_MUTANTS, 1, tmp_path).late == 0


@pytest.mark.matrix
@pytest.mark.timeout(1800)
async def test_trial_answers_for_broken_files_whose_header_is_right_in_time(tmp_path: Path) -> None:
    """By the processes that try a file on the box, Python's start included.

    The time is the processor's: how long it takes by the clock depends on what else there is to do.
    """
    before = {child.pid for child in psutil.Process().children()}
    refused = 0
    for path in itertools.islice(_with_a_right_header(tmp_path), TRIED):
        began = _spent_seconds()
        async with asyncio.timeout(STUCK_SECONDS):
            try:
                await try_model(random_model(path, context_length=256))
            except (ModelDamaged, EngineUnavailable):
                refused += 1
        assert 0 < _spent_seconds() - began < mutants.ANSWER_SECONDS
    assert refused > TRIED / 4
    assert {child.pid for child in psutil.Process().children()} <= before


def _spent_seconds() -> float:
    """What all processes that we have started and seen the end of have had of the processor."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _with_a_right_header(folder: Path) -> Iterator[Path]:
    """Write broken files, one after the other, that only llama.cpp can judge."""
    for seed in itertools.count():
        path = mutants.write_mutant(folder, seed)
        try:
            read_header(path)
        except ModelDamaged:
            continue
        yield path
