"""A box whose sensors are recorded and whose time passes as fast as it is told to."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from allerac.hardware.sensors import Sensors, Sysfs
from allerac.health import (
    REACTIONS,
    Act,
    BoxFacts,
    Change,
    EngineFacts,
    Finding,
    HealthService,
    Lever,
    Limits,
    UpdateFacts,
    find_checks,
)
from allerac.storage.device_history import DeviceHistory
from tests.recorded_machine import RecordedMachine

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TICK = 10.0
ACTS = {check.fix.act for check in find_checks() if check.fix is not None}
WELL = BoxFacts(
    engine=EngineFacts(state="ready", speed=12.0, record=12.5),
    update=UpdateFacts(),
    certificate_expires_at=NOON + timedelta(days=300),
    memory_channels=1,
)


@dataclass(slots=True)
class SimulatedBox:
    """Its time, its sensors, what its other rooms say; and what it did and told.

    `ask` and `levers` are those of a real box, where they are given.
    """

    machine: RecordedMachine
    facts: BoxFacts = WELL
    seconds: float = 0.0
    clock_error: timedelta = timedelta()
    limits: Limits = field(
        default_factory=lambda: Limits(
            slow_celsius=88, pause_celsius=97, memory_channels=1, power_watts=15
        )
    )
    ask: Callable[[], Awaitable[BoxFacts]] | None = None
    levers: Mapping[str, Lever] | None = None
    fixed: list[tuple[str, Finding]] = field(default_factory=list)
    changes: list[tuple[float, Change]] = field(default_factory=list)
    pulled: list[tuple[float, str]] = field(default_factory=list)
    let_go: list[tuple[float, str]] = field(default_factory=list)
    health: HealthService = field(init=False)
    store: DeviceHistory = field(init=False)

    def __post_init__(self) -> None:
        """Build the real service over all this."""
        root = self.machine.root
        self.store = DeviceHistory(root / "health.sqlite")
        self.health = HealthService(
            sensors=Sensors(Sysfs(root), root),
            store=self.store,
            facts=self._ask,
            limits=self.limits,
            levers=self.levers or {one.code: self._lever(one.code) for one in REACTIONS},
            acts={name: self._act(name) for name in ACTS},
            listeners=[self._hear],
            clock=lambda: NOON + timedelta(seconds=self.seconds) + self.clock_error,
            steady=lambda: self.seconds,
        )

    def change(self, **facts: object) -> None:
        """Let other rooms say something else."""
        self.facts = replace(self.facts, **facts)  # type: ignore[arg-type]  # fields by name

    async def live(self, seconds: float, meanwhile: Callable[[float], None] | None = None) -> None:
        """Let time pass; `meanwhile` is called before each sample with the seconds so far."""
        end = self.seconds + seconds
        while self.seconds < end:
            if meanwhile is not None:
                meanwhile(self.seconds)
            await self.health.sample()
            self.seconds += TICK

    def heard(self, kind: str, code: str) -> list[float]:
        """Return the times at which such a change was told."""
        return [at for at, c in self.changes if (c.kind, c.issue.check.code) == (kind, code)]

    async def _ask(self) -> BoxFacts:
        return self.facts if self.ask is None else await self.ask()

    async def _hear(self, change: Change) -> None:
        self.changes.append((self.seconds, change))

    def _act(self, name: str) -> Act:
        async def act(finding: Finding) -> None:
            self.fixed.append((name, finding))

        return act

    def _lever(self, code: str) -> Lever:
        async def pull() -> None:
            self.pulled.append((self.seconds, code))

        async def let_go() -> None:
            self.let_go.append((self.seconds, code))

        return Lever(pull, let_go)


@asynccontextmanager
async def simulated_box(folder: Path) -> AsyncIterator[SimulatedBox]:
    """A box in good health for the time of a test."""
    box = SimulatedBox(RecordedMachine(folder).usual())
    try:
        yield box
    finally:
        await box.health.stop()
