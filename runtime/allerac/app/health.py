"""The wing of the health: sensors, what the other rooms know, and what may be done about it."""

import asyncio
import contextlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from allerac.app.ground import Ground
from allerac.app.hardware import Hardware
from allerac.app.health_levers import Background, Indexing, Levers, acts_of
from allerac.app.network import NetworkPresence
from allerac.appliance.units import read_units
from allerac.engine.supervisor import EngineSupervisor
from allerac.errors import AlleracError
from allerac.hardware.choice import is_made_as
from allerac.hardware.sensors import Sensors, Sysfs
from allerac.health import (
    AnswerWatch,
    BoxFacts,
    EngineFacts,
    HealthService,
    Limits,
    Metrics,
    Reserve,
    SpeedBook,
    Unit,
    UpdateFacts,
)
from allerac.health.alerts import AlertService, SettingsFile
from allerac.models import ModelRoom
from allerac.storage.device_history import DeviceHistory
from allerac.updates import UpdateService

log = structlog.get_logger()

SLOW_LOOK_SECONDS: Final = 60.0
INTEGRITY_SECONDS: Final = 86_400.0
INTEGRITY_DELAY_SECONDS: Final = 900.0
"""The first test of the database waits until people have begun their day's first chat."""

STUCK_SECONDS: Final = 900.0
"""The largest model of the slowest disk loads in a third of it."""

CLOCK_SECONDS: Final = 600.0
"""So long a jump of the clock is told."""

SIGN_INS_WINDOW: Final = timedelta(hours=1)
FAILED_UPDATES: Final = frozenset({"available", "idle", "rolled_back"})


@dataclass(frozen=True, slots=True)
class Rooms:
    """Whom the health of the box asks, and whom it may tell what to do."""

    engine: EngineSupervisor
    models: ModelRoom
    updates: UpdateService
    presence: NetworkPresence
    indexing: Indexing


@dataclass(frozen=True, slots=True)
class HealthWing:
    """The services, and what others give them to see."""

    service: HealthService
    alerts: AlertService
    metrics: Metrics
    reserve: Reserve
    pulse: "Pulse"
    onlookers: "Onlookers"
    background: Background

    async def prepare(self) -> None:
        """Before the database opens: on a full disk it could not."""
        await asyncio.to_thread(self.reserve.prepare)

    async def start(self) -> None:
        """Begin to look, and to tell."""
        await self.alerts.start()
        await self.service.start()

    async def stop(self) -> None:
        """Stop the services, then what they began."""
        await self.service.stop()
        await self.background.stop()
        await self.alerts.stop()


def build_health(ground: Ground, rooms: Rooms, answers: AnswerWatch) -> HealthWing:
    """Return the services over this machine, or over the recorded one of the settings."""
    settings = ground.settings
    background = Background()
    reserve = Reserve(settings.data_dir / "reserve", settings.reserve_bytes)
    sysfs = Sysfs(settings.sensors_root)
    onlookers = Onlookers(ground, rooms, answers.speeds, reserve, ask_units=sysfs.is_machine)
    alerts = AlertService(
        SettingsFile(settings.data_dir / "alerts.json", ground.secrets), ground.boxes.load
    )
    service = HealthService(
        sensors=Sensors(sysfs, settings.data_dir),
        store=DeviceHistory(settings.data_dir / "health.sqlite"),
        facts=onlookers.look,
        limits=limits_of(ground.hardware),
        levers=_levers(ground.hardware, rooms, reserve, background).all(),
        acts=acts_of(rooms.models, rooms.updates),
        listeners=[alerts.hear],
        speeds=answers.speeds,
        sample_seconds=settings.sample_seconds,
    )
    answers.metrics.watch(service.status, rooms.engine.status)
    pulse = Pulse(service, rooms.engine)
    return HealthWing(service, alerts, answers.metrics, reserve, pulse, onlookers, background)


class Pulse:
    """What the service watchdog is fed from: the samples go on, and the engine gets somewhere."""

    def __init__(self, service: HealthService, engine: EngineSupervisor) -> None:
        self._service = service
        self._engine = engine
        self._busy_since: float | None = None

    def is_well(self) -> bool:
        """Tell whether all goes on; where it does not, only a new start helps."""
        if self._engine.status().state not in {"starting", "loading"}:
            self._busy_since = None
        elif self._busy_since is None:
            self._busy_since = time.monotonic()
        stuck = self._busy_since is not None and time.monotonic() - self._busy_since > STUCK_SECONDS
        return self._service.is_looking and not stuck


def _levers(hardware: Hardware, rooms: Rooms, reserve: Reserve, background: Background) -> Levers:
    return Levers(
        models=rooms.models,
        engine=rooms.engine,
        indexing=rooms.indexing,
        reserve=reserve,
        background=background,
        hardware=hardware,
    )


def limits_of(hardware: Hardware) -> Limits:
    """Return what this machine should be: of a tier's own machines all that the tier promises."""
    profile = hardware.choice.profile
    usual = Limits()
    promised = is_made_as(hardware.machine, profile)
    return Limits(
        slow_celsius=profile.thermal.fewer_threads_celsius or usual.slow_celsius,
        pause_celsius=profile.thermal.pause_celsius or usual.pause_celsius,
        memory_channels=profile.burn_in.memory_channels if promised else None,
        power_watts=profile.power.pl1_watts if promised else None,
    )


class Onlookers:
    """Asks the other rooms; what costs more than a glance is asked once a minute, or once a day."""

    def __init__(
        self,
        ground: Ground,
        rooms: Rooms,
        speeds: SpeedBook,
        reserve: Reserve,
        *,
        ask_units: bool,
    ) -> None:
        self._ground = ground
        self._rooms = rooms
        self._speeds = speeds
        self._reserve = reserve
        self._ask_units = ask_units
        self._slow = BoxFacts()
        self._looked_at = float("-inf")
        self._started_at = time.monotonic()
        self._tested_at: float | None = None
        self._faults: tuple[str, ...] = ()
        self._clock_moved: tuple[float, float] | None = None

    def clock_was_set(self, step: timedelta) -> None:
        """Take note that the time of day jumped."""
        self._clock_moved = (time.monotonic(), step.total_seconds())

    async def look(self) -> BoxFacts:
        """Return what is known now."""
        now = time.monotonic()
        if now - self._looked_at >= SLOW_LOOK_SECONDS:
            self._looked_at = now
            self._slow = await self._look_closely(now)
        slow = self._slow
        return BoxFacts(
            engine=self._engine(),
            name_conflict=self._rooms.presence.conflict(),
            damaged_models=tuple(self._rooms.models.damaged()),
            database_faults=self._faults,
            update=slow.update,
            certificate_expires_at=slow.certificate_expires_at,
            failed_sign_ins=slow.failed_sign_ins,
            units=slow.units,
            clock_moved_seconds=self._clock_step(now),
            reserve_given_up=self._reserve.is_wanted and not self._reserve.is_kept,
            memory_channels=self._ground.hardware.machine.memory_channels,
        )

    def _clock_step(self, now: float) -> float:
        at, seconds = self._clock_moved or (0.0, 0.0)
        return seconds if now - at < CLOCK_SECONDS else 0.0

    def _engine(self) -> EngineFacts:
        status = self._rooms.engine.status()
        return EngineFacts(
            state=status.state,
            active=status.active,
            waiting=status.waiting,
            restarts=status.restarts,
            speed=self._speeds.current(status.model_id),
            record=self._speeds.record(status.model_id),
            last_error=status.last_error,
        )

    async def _look_closely(self, now: float) -> BoxFacts:
        sign_ins, update = 0, None
        with contextlib.suppress(AlleracError):
            since = datetime.now(UTC) - SIGN_INS_WINDOW
            sign_ins = await self._ground.attempts.total("account", since=since)
            update = await self._update()
            await self._test_database(now)
        certificate = await asyncio.to_thread(self._ground.certificates.facts)
        states = await read_units() if self._ask_units else ()
        return BoxFacts(
            update=update,
            certificate_expires_at=certificate.expires_at if certificate else None,
            failed_sign_ins=sign_ins,
            units=tuple(Unit(unit.name, unit.failed, unit.restarts) for unit in states),
        )

    async def _update(self) -> UpdateFacts:
        status = await self._rooms.updates.status()
        offer = status.available
        return UpdateFacts(
            failed=status.reason if status.state in FAILED_UPDATES else None,
            version=str(offer.version) if offer else None,
            offered_at=offer.released_at if offer else None,
        )

    async def _test_database(self, now: float) -> None:
        """Test it now and then; damage that was found stays until a test finds none."""
        since = self._tested_at
        due = now - self._started_at if since is None else now - since
        if due >= (INTEGRITY_DELAY_SECONDS if since is None else INTEGRITY_SECONDS):
            self._tested_at = now
            self._faults = tuple(await self._ground.database.check_integrity())
