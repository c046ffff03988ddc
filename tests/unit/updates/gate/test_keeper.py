"""What the runtime records for the proof of the next version, and when."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from allerac.updates.gate import NEW_BOX, BaselineFile, BaselineKeeper, Spoken

from .emulated_system import GOOD, EmulatedSystem

DEADLINE_SECONDS = 10


def _keeper(system: EmulatedSystem, file: BaselineFile, **options: Any) -> BaselineKeeper:
    settings = {"is_busy": lambda: False, "first_seconds": 0, "busy_seconds": 0.01, **options}
    return BaselineKeeper(system.surroundings(), file, "1.0.0", **settings)


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not holds():  # noqa: ASYNC110 - a file has no event to wait on
            await asyncio.sleep(0.01)


async def test_a_proven_version_is_recorded_by_itself_again_and_again(tmp_path: Path) -> None:
    file, system = BaselineFile(tmp_path / "baseline.json"), EmulatedSystem()
    file.write(replace(GOOD, canaries=()))
    keeper = _keeper(system, file, every_seconds=0.01)
    await keeper.start()
    await _until(lambda: len(file.read().canaries) >= 3)
    system.now_at = ()
    await _until(lambda: file.read().addresses == ())
    await keeper.stop()


async def test_the_record_names_the_attempt_that_follows(tmp_path: Path) -> None:
    file = BaselineFile(tmp_path / "baseline.json")
    file.write(GOOD)
    keeper = _keeper(EmulatedSystem(), file)
    assert await keeper.record("an update")
    assert file.read().attempt == "an update"
    assert await keeper.record()
    assert file.read().attempt is None


async def test_who_goes_back_is_held_to_everything_but_the_speed(tmp_path: Path) -> None:
    file = BaselineFile(tmp_path / "baseline.json")
    file.write(GOOD)
    assert await _keeper(EmulatedSystem(), file).record("going back", with_speed=False)
    recorded = file.read()
    assert (recorded.model_id, recorded.tokens_per_second) == (GOOD.model_id, None)
    assert recorded.addresses == GOOD.addresses


async def test_a_version_on_trial_does_not_move_the_measure(tmp_path: Path) -> None:
    file, system = BaselineFile(tmp_path / "baseline.json"), EmulatedSystem()
    for before in (replace(GOOD, version="0.9.0"), NEW_BOX):
        file.write(before)
        assert not await _keeper(system, file).record()
        assert file.read() == before
    assert system.asked == []


async def test_nobody_waits_for_the_canary(tmp_path: Path) -> None:
    file, system = BaselineFile(tmp_path / "baseline.json"), EmulatedSystem()
    file.write(GOOD)
    system.now_at, system.spoken = (), Spoken("one", 1.0)
    keeper = _keeper(system, file, is_busy=lambda: True)
    assert await keeper.record()
    assert (file.read().addresses, file.read().canaries) == ((), GOOD.canaries)
    await keeper.start()
    await asyncio.sleep(0)
    assert "canary" not in system.asked
    await keeper.stop()


async def test_a_model_that_hangs_leaves_the_record_as_it_was(tmp_path: Path) -> None:
    file, system = BaselineFile(tmp_path / "baseline.json"), EmulatedSystem(hangs=True)
    file.write(GOOD)
    with capture_logs() as logs:
        assert not await _keeper(system, file, longest_seconds=0.05).record("an update")
    assert [line["event"] for line in logs] == ["baseline_not_kept"]
    assert file.read() == GOOD
