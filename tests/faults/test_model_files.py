"""A model's file that is missing or broken, at start or in use: said, and over once it is back."""

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy

import pytest

from tests.claimed_box import RECOVERY_SECONDS, ClaimedBox, Json, Owner, claimed_box, text_of
from tests.engine.asking import DEMO, PASSWORD

pytestmark = pytest.mark.slow

RESTARTS_UNTIL_FAILED_SECONDS = 3 * RECOVERY_SECONDS


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClaimedBox]:
    folder = tmp_path_factory.mktemp("box")
    model = folder / "model"
    model.mkdir()
    for file in (DEMO.parent / "model.yaml", DEMO):
        copy(file, model)
    with claimed_box(folder / "data", profile="vm", demo_model_dir=str(model)) as claimed:
        yield claimed


@pytest.fixture
def file(box: ClaimedBox) -> Iterator[Path]:
    """The model's file; whole again after the test."""
    path = box.running.data_dir.parent / "model" / DEMO.name
    yield path
    _repair(path)


def _repair(file: Path) -> None:
    file.unlink(missing_ok=True)
    copy(DEMO, file)


def _remove(file: Path) -> None:
    file.unlink()


def _cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _fill_with_noise(file: Path) -> None:
    file.write_bytes(random.Random(1).randbytes(file.stat().st_size))  # noqa: S311 - a broken disk is not secret


def _spoil_weights(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:-200_000] + b"\xff" * 200_000)


async def _answers(owner: Owner) -> None:
    """Fail unless a question is answered from what it says."""
    _, answer_id = await owner.say(await owner.conversation(), PASSWORD)
    assert "blue-otter-42" in text_of(await owner.events(answer_id))


async def _refusal(owner: Owner) -> Json:
    """Ask, and return the problem that was told instead of an answer, at once or in its place."""
    sent = await owner.send(await owner.conversation(), PASSWORD)
    if sent.status_code == 201:
        events = await owner.events(sent.json()["answer"]["id"])
        assert text_of(events) == ""
        assert events[-1].kind == "error"
        return events[-1].data
    assert sent.status_code == 503
    assert sent.headers["Retry-After"]
    problem: Json = sent.json()["error"]
    return problem


@pytest.mark.parametrize("harm", [_remove, _cut, _fill_with_noise, _spoil_weights])
async def test_a_box_whose_model_is_missing_or_broken_starts_says_so_and_recovers(
    box: ClaimedBox, file: Path, harm: Callable[[Path], None]
) -> None:
    box.stop()
    harm(file)
    box.start()
    async with box.owner() as owner:
        problem = await _refusal(owner)
        assert problem["code"] in {"engine_unavailable", "model_damaged"}
        assert problem["message"]
        assert problem["hint"]
        ready = await owner.client.get("/readyz")
        assert (ready.status_code, ready.json()["engine"]) == (503, False)
        assert (await owner.client.get("/healthz")).status_code == 200
        _repair(file)
        await _answers(owner)
        assert (await owner.client.get("/readyz")).status_code == 200


@pytest.mark.parametrize("harm", [_remove, _cut])
async def test_a_file_that_breaks_in_use_costs_answers_until_it_is_back(
    box: ClaimedBox, file: Path, harm: Callable[[Path], None]
) -> None:
    async with box.owner() as owner:
        await _answers(owner)
        harm(file)
        box.engine().kill()
        async with asyncio.timeout(RESTARTS_UNTIL_FAILED_SECONDS):
            problem = await _refusal(owner)
        assert problem["code"] in {"engine_unavailable", "model_damaged"}
        assert problem["message"] != "No model is ready to answer."
        assert problem["hint"]
        _repair(file)
        async with asyncio.timeout(RECOVERY_SECONDS):
            await _answers(owner)
    assert box.running.process.poll() is None


async def test_a_file_that_is_cut_under_the_running_engine_costs_no_more_than_the_engine(
    box: ClaimedBox, file: Path
) -> None:
    """A mapped page that is no longer there ends the process that reads it."""
    async with box.owner() as owner:
        await _answers(owner)
        os.truncate(file, 0)
        async with asyncio.timeout(RESTARTS_UNTIL_FAILED_SECONDS):
            problem = await _refusal(owner)
        assert problem["message"]
        assert problem["hint"]
        _repair(file)
        async with asyncio.timeout(RECOVERY_SECONDS):
            await _answers(owner)
    assert box.running.process.poll() is None
