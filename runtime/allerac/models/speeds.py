"""The speed of each model here: measured when it is new or the box was updated, and kept.

Estimates are checked against what came true, so that the box can say how honest it is.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Final, Protocol, TypeVar

import structlog

from allerac.engine.protocol import EngineStatus, Speed, Usage
from allerac.errors import AlleracError, StorageUnavailable
from allerac.storage.calibration import Calibration, CalibrationStore, Estimate
from allerac.storage.threads import finish_in_thread

log = structlog.get_logger()
T = TypeVar("T")

CHECK_SECONDS: Final = 5.0
ESTIMATES_SHOWN: Final = 200
SHORTEST_SECONDS: Final = 0.2
"""A wait below it is no wait; how far off its estimate was interests nobody."""


class MeasuredEngine(Protocol):
    """The part of the engine that this needs."""

    def status(self) -> EngineStatus:
        """The state at this moment."""

    @property
    def thread_limit(self) -> int | None:
        """Fewer threads than usual, while the machine is hot or busy."""

    async def calibrate(self) -> Speed:
        """Measure the loaded model once nobody waits."""

    def expect(self, model_id: str, *, prefill: float, decode: float) -> None:
        """Estimate waits with what was measured before, in tokens a second."""


@dataclass(frozen=True, slots=True)
class Honesty:
    """How far off the estimates of the first word were; `median_error` is a share of the time."""

    estimates: int
    median_error: float | None


@dataclass(frozen=True, slots=True)
class SpeedRecord:
    """What is known of the models' speed here."""

    calibrations: list[Calibration]
    honesty: Honesty


class SpeedKeeper:
    """Measures what was not measured by this version yet; `on_speed` hears of each figure.

    `born` is what the factory measured: it counts until the box itself knows better.
    """

    def __init__(
        self,
        *,
        store: CalibrationStore,
        engine: MeasuredEngine,
        version: str,
        on_speed: Callable[[str, float, float], None],
        born: Calibration | None = None,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self._store = store
        self._engine = engine
        self._version = version
        self._on_speed = on_speed
        self._born = born
        self._check_seconds = check_seconds
        self._known: dict[str, Calibration] = {}
        self._unsaved: list[Estimate] = []
        self._disk = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Tell what was measured before, and look after what is new."""
        with contextlib.suppress(StorageUnavailable):
            for calibration in await self._in_thread(self._store.latest):
                self._learn(calibration)
        if self._born is not None and self._is_news(self._born):
            self._learn(self._born)
        self._task = asyncio.create_task(self._watch(), name="speeds")

    async def stop(self) -> None:
        """Keep what is not kept yet."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(StorageUnavailable):
            await self._save_estimates()

    def note_answer(self, usage: Usage) -> None:
        """Compare what was told with what it was."""
        model_id = self._engine.status().model_id
        if (
            model_id is None
            or usage.estimated_seconds is None
            or usage.first_token_seconds < SHORTEST_SECONDS
        ):
            return
        now, told = datetime.now(UTC), usage.estimated_seconds
        self._unsaved.append(Estimate(model_id, now, told, usage.first_token_seconds))

    async def record(self) -> SpeedRecord:
        """Return the speeds of the models, and how well waits were estimated lately."""
        estimates: list[Estimate] = []
        with contextlib.suppress(StorageUnavailable):
            await self._save_estimates()
            estimates = await self._in_thread(lambda: self._store.estimates(ESTIMATES_SHOWN))
        errors = [abs(e.estimated_seconds / e.actual_seconds - 1) for e in estimates]
        honesty = Honesty(len(errors), median(errors) if errors else None)
        return SpeedRecord(list(self._known.values()), honesty)

    async def _watch(self) -> None:
        while True:
            try:
                await self._save_estimates()
                await self._measure()
            except AlleracError as error:
                log.info("speed_not_measured", reason=error.message)
            await asyncio.sleep(self._check_seconds)

    async def _measure(self) -> None:
        status = self._engine.status()
        model_id = status.model_id
        if status.state != "ready" or model_id is None or self._engine.thread_limit is not None:
            return
        known = self._known.get(model_id)
        if known is not None and known.version == self._version:
            return
        speed = await self._engine.calibrate()
        prefill, decode = speed.prefill_tokens_per_second, speed.decode_tokens_per_second
        if self._engine.status().model_id != model_id or not prefill or not decode:
            return
        measured = Calibration(model_id, self._version, datetime.now(UTC), prefill, decode)
        self._learn(measured)
        log.info("speed_measured", model=model_id, prefill=round(prefill), decode=round(decode, 1))
        await self._in_thread(lambda: self._store.add(measured))

    def _is_news(self, born: Calibration) -> bool:
        """Whether nothing newer than the factory's figures is known of that model."""
        known = self._known.get(born.model_id)
        return known is None or (known.version != self._version == born.version)

    def _learn(self, calibration: Calibration) -> None:
        self._known[calibration.model_id] = calibration
        prefill = calibration.prefill_tokens_per_second
        decode = calibration.decode_tokens_per_second
        self._on_speed(calibration.model_id, prefill, decode)
        self._engine.expect(calibration.model_id, prefill=prefill, decode=decode)

    async def _save_estimates(self) -> None:
        unsaved, self._unsaved = self._unsaved, []
        if unsaved:
            await self._in_thread(lambda: self._store.add_estimates(unsaved))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        async with self._disk:
            return await finish_in_thread(work)
