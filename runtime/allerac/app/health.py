"""The wing of the health: sensors, issues, alerts, and what may be done about it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from allerac.app.ground import Ground
from allerac.app.hardware import Hardware
from allerac.app.health_levers import Background, Levers, acts_of
from allerac.app.health_onlookers import Onlookers, Rooms
from allerac.app.health_starts import Starts
from allerac.engine.protocol import EngineStatus
from allerac.hardware.choice import is_made_as
from allerac.hardware.sensors import Sensors, Sysfs, read_boot, steady_clock
from allerac.health import AnswerWatch, HealthService, Limits, Metrics, Reserve, find_checks
from allerac.health.alerts import AlertService, DiaryOutbox, SettingsFile
from allerac.storage.device_history import DeviceHistory

STUCK_SECONDS: Final = 900.0
"""The largest model of the slowest disk loads in a third of it."""


@dataclass(frozen=True, slots=True)
class HealthWing:
    """The services, and what others give them to see."""

    service: HealthService
    alerts: AlertService
    metrics: Metrics
    reserve: Reserve
    pulse: "Pulse"
    onlookers: Onlookers
    levers: Levers
    background: Background

    async def prepare(self) -> None:
        """Before the database opens: on a full disk it could not."""
        await asyncio.to_thread(self.reserve.prepare)

    async def start(self) -> None:
        """Begin to look, and to tell."""
        await self.onlookers.recall()
        await self.alerts.start()
        await self.service.start()

    async def stop(self) -> None:
        """Stop the services, then what they began."""
        await self.alerts.stop()
        await self.service.stop()
        await self.background.stop()


def build_health(ground: Ground, rooms: Rooms, answers: AnswerWatch) -> HealthWing:
    """Return the services over this machine, or over the recorded one of the settings."""
    settings = ground.settings
    background = Background()
    reserve = Reserve(settings.data_dir / "reserve", settings.reserve_bytes)
    sysfs = Sysfs(settings.sensors_root)
    steady = steady_clock(sysfs)
    diary = DeviceHistory(settings.data_dir / "health.sqlite")
    starts = Starts(diary, read_boot(sysfs))
    onlookers = Onlookers(
        ground, rooms, answers.speeds, reserve, starts, ask_units=sysfs.is_machine
    )
    checks = find_checks()
    alerts = AlertService(
        SettingsFile(settings.data_dir / "alerts.json", ground.secrets),
        ground.boxes.load,
        outbox=DiaryOutbox(diary, checks),
        steady=steady,
    )
    levers = _levers(ground.hardware, rooms, reserve, background)
    service = HealthService(
        sensors=Sensors(sysfs, settings.data_dir),
        store=diary,
        checks=checks,
        facts=onlookers.look,
        limits=limits_of(ground.hardware),
        levers=levers.all(),
        acts=acts_of(rooms.models, rooms.updates),
        listeners=[alerts.hear],
        speeds=answers.speeds,
        steady=steady,
        sample_seconds=settings.sample_seconds,
    )
    answers.metrics.watch(service.status, rooms.engine.status)
    pulse = Pulse(service, rooms.engine)
    return HealthWing(
        service, alerts, answers.metrics, reserve, pulse, onlookers, levers, background
    )


class Watching(Protocol):
    """`allerac.health.HealthService`, as far as it is alive."""

    @property
    def is_looking(self) -> bool:
        """Whether samples are taken."""


class Working(Protocol):
    """`allerac.engine.supervisor.EngineSupervisor`, as far as it gets somewhere."""

    def status(self) -> EngineStatus:
        """Return how the engine is."""


class Pulse:
    """What the service watchdog is fed from: the samples go on, and the engine gets somewhere."""

    def __init__(
        self, service: Watching, engine: Working, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._service = service
        self._engine = engine
        self._steady = steady
        self._busy_since: float | None = None

    def is_well(self) -> bool:
        """Tell whether all goes on; where it does not, only a new start helps."""
        if self._engine.status().state not in {"starting", "loading"}:
            self._busy_since = None
        elif self._busy_since is None:
            self._busy_since = self._steady()
        stuck = self._busy_since is not None and self._steady() - self._busy_since > STUCK_SECONDS
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
