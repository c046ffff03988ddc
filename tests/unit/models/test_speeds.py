"""A model is measured once a version, and the estimates are held to what came true."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from allerac.engine.protocol import EngineStatus, Speed, Usage
from allerac.errors import EngineUnavailable
from allerac.models.speeds import SpeedKeeper
from allerac.storage.calibration import Calibration, CalibrationStore

DEADLINE_SECONDS = 10.0


@dataclass
class TimedEngine:
    """Measures what it is told to; counts how often it was asked."""

    model_id: str | None = "small"
    thread_limit: int | None = None
    speed: Speed | Exception = field(default_factory=lambda: Speed(100.0, 10.0))
    asked: int = 0
    expected: dict[str, tuple[float, float]] = field(default_factory=dict)

    def expect(self, model_id: str, *, prefill: float, decode: float) -> None:
        self.expected[model_id] = (prefill, decode)

    def status(self) -> EngineStatus:
        return EngineStatus(state="ready", model_id=self.model_id)

    async def calibrate(self) -> Speed:
        self.asked += 1
        if isinstance(self.speed, Exception):
            raise self.speed
        return self.speed


def keeper(
    folder: Path,
    engine: TimedEngine,
    *,
    version: str = "1.0",
    on_speed: Callable[[str, float, float], None] = lambda *_: None,
    born: Calibration | None = None,
) -> SpeedKeeper:
    return SpeedKeeper(
        store=CalibrationStore(folder / "calibration.sqlite"),
        engine=engine,
        version=version,
        on_speed=on_speed,
        born=born,
        check_seconds=0.005,
    )


async def until(claim: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not claim():  # noqa: ASYNC110 - the keeper tells nobody when it has looked
            await asyncio.sleep(0.005)


def usage(estimated: float | None, first: float) -> Usage:
    return Usage(10, 0, 5, first, 10.0, estimated)


async def test_new_model_is_measured_once_and_told(tmp_path: Path) -> None:
    engine, told = TimedEngine(), list[tuple[str, float, float]]()
    speeds = keeper(tmp_path, engine, on_speed=lambda *figures: told.append(figures))
    await speeds.start()
    await until(lambda: told)
    await asyncio.sleep(0.05)
    await speeds.stop()
    assert told == [("small", 100.0, 10.0)]
    assert engine.asked == 1


@pytest.mark.parametrize(("version", "asked"), [("1.0", 0), ("1.1", 1)])
async def test_measurement_outlives_a_restart_but_not_an_update(
    tmp_path: Path, version: str, asked: int
) -> None:
    first = TimedEngine()
    speeds = keeper(tmp_path, first)
    await speeds.start()
    await until(lambda: first.asked)
    await speeds.stop()
    engine, told = TimedEngine(), list[tuple[str, float, float]]()
    speeds = keeper(tmp_path, engine, version=version, on_speed=lambda *f: told.append(f))
    await speeds.start()
    await until(lambda: len(told) == 1 + asked)
    await speeds.stop()
    assert engine.asked == asked
    assert engine.expected == {"small": (100.0, 10.0)}


BORN = Calibration("small", "1.0", datetime(2026, 11, 21, tzinfo=UTC), 80.0, 8.0)


@pytest.mark.parametrize(("version", "asked"), [("1.0", 0), ("1.1", 1)])
async def test_box_estimates_by_the_factorys_figures_until_its_version_is_another(
    tmp_path: Path, version: str, asked: int
) -> None:
    engine, told = TimedEngine(), list[tuple[str, float, float]]()
    speeds = keeper(
        tmp_path, engine, version=version, born=BORN, on_speed=lambda *f: told.append(f)
    )
    await speeds.start()
    assert told[0] == ("small", 80.0, 8.0), "before anything is measured"
    await until(lambda: len(told) == 1 + asked)
    await asyncio.sleep(0.05)
    await speeds.stop()
    assert engine.asked == asked


async def test_what_the_box_measured_counts_more_than_what_the_factory_did(tmp_path: Path) -> None:
    first = TimedEngine()
    speeds = keeper(tmp_path, first)
    await speeds.start()
    await until(lambda: first.expected)
    await speeds.stop()
    engine = TimedEngine()
    speeds = keeper(tmp_path, engine, born=BORN)
    await speeds.start()
    await speeds.stop()
    assert engine.expected == {"small": (100.0, 10.0)}


@pytest.mark.parametrize(
    "engine",
    [
        TimedEngine(model_id=None),
        TimedEngine(thread_limit=1),
    ],
)
async def test_nothing_is_measured_without_a_model_or_on_a_hot_machine(
    tmp_path: Path, engine: TimedEngine
) -> None:
    speeds = keeper(tmp_path, engine)
    await speeds.start()
    await asyncio.sleep(0.05)
    await speeds.stop()
    assert engine.asked == 0


async def test_failed_measurement_is_tried_again(tmp_path: Path) -> None:
    engine = TimedEngine(speed=EngineUnavailable("It ended."))
    speeds = keeper(tmp_path, engine)
    await speeds.start()
    await until(lambda: engine.asked >= 2)
    engine.speed = Speed(50.0, 5.0)
    asked = engine.asked
    await until(lambda: engine.asked > asked)
    await speeds.stop()
    assert (await speeds.record()).calibrations


async def test_error_of_past_estimates_is_their_median(tmp_path: Path) -> None:
    speeds = keeper(tmp_path, TimedEngine())
    for estimated, actual in ((1.0, 1.0), (1.1, 1.0), (3.0, 1.0)):
        speeds.note_answer(usage(estimated, actual))
    speeds.note_answer(usage(None, 1.0))
    speeds.note_answer(usage(5.0, 0.01))
    honesty = (await speeds.record()).honesty
    assert honesty.estimates == 3
    assert honesty.median_error == pytest.approx(0.1)


async def test_full_disk_costs_the_record_only(tmp_path: Path) -> None:
    (tmp_path / "calibration.sqlite").mkdir()
    speeds = keeper(tmp_path, TimedEngine())
    speeds.note_answer(usage(1.0, 1.0))
    assert (await speeds.record()).honesty.median_error is None
