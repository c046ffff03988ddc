"""What the other rooms know of how the box is."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

import structlog

from allerac.app.ground import Ground
from allerac.app.health_levers import Indexing
from allerac.app.health_starts import Starts
from allerac.appliance.units import RUNTIME, UnitState, read_units
from allerac.engine.supervisor import EngineSupervisor
from allerac.errors import AlleracError, StorageDamaged
from allerac.health import BoxFacts, EngineFacts, Reserve, SpeedBook, Unit, UpdateFacts
from allerac.models import ModelRoom
from allerac.network.identity import BoxIdentity
from allerac.ssh import SshService
from allerac.updates import NOT_ASKED, UpdateService

log = structlog.get_logger()
T = TypeVar("T")

SAMPLES_PER_SLOW_LOOK: Final = 6
INTEGRITY_SECONDS: Final = 86_400.0
INTEGRITY_DELAY_SECONDS: Final = 900.0
"""The first test of the database waits until people have begun their day's first chat."""

SIGN_INS_WINDOW: Final = timedelta(hours=1)
FAILED_UPDATES: Final = frozenset({"available", "idle", "rolled_back"})


class Presence(Protocol):
    """`allerac.app.network.NetworkPresence`, as far as its name is concerned."""

    @property
    def identity(self) -> BoxIdentity | None:
        """What is announced; None before there is a box."""

    def conflict(self) -> str | None:
        """Return why a name is not ours."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """Whom the health of the box asks, and whom it may tell what to do."""

    engine: EngineSupervisor
    models: ModelRoom
    updates: UpdateService
    presence: Presence
    indexing: Indexing
    ssh: SshService


class IntegrityWatch:
    """Tests the database now and then; damage that was found stays until a test finds none."""

    def __init__(
        self,
        test: Callable[[], Awaitable[list[str]]],
        *,
        delay_seconds: float = INTEGRITY_DELAY_SECONDS,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`test` returns what is wrong, or raises `StorageDamaged` where it cannot even be read."""
        self.faults: tuple[str, ...] = ()
        self._test = test
        self._steady = steady
        self._due = steady() + delay_seconds

    def test_soon(self) -> None:
        """Let the next look test it."""
        self._due = self._steady()

    def note(self, damage: StorageDamaged) -> None:
        """Take note of damage that somebody met."""
        self.faults = self.faults or (damage.message,)

    async def look(self) -> None:
        """Test it when that is due. Raises `StorageUnavailable`; the next look tests it then."""
        if self._steady() < self._due:
            return
        try:
            self.faults = tuple(await self._test())
        except StorageDamaged as error:
            self.faults = (error.message,)
        self._due = self._steady() + INTEGRITY_SECONDS


class Onlookers:
    """Asks the other rooms; what costs more than a glance at every sixth look, or once a day."""

    def __init__(
        self,
        ground: Ground,
        rooms: Rooms,
        speeds: SpeedBook,
        reserve: Reserve,
        starts: Starts,
        *,
        ask_units: bool,
    ) -> None:
        self._ground = ground
        self.rooms = rooms
        self._speeds = speeds
        self._reserve = reserve
        self._starts = starts
        self._ask_units = ask_units
        self._slow = BoxFacts()
        self._looks = 0
        self.integrity = IntegrityWatch(ground.database.check_integrity)
        self._clock_moved = timedelta()
        self._clock_moved_at = 0.0

    async def recall(self) -> None:
        """Take over what was known before a restart of the runtime."""
        await self._starts.recall()
        self._clock_moved = self._starts.clock_moved

    def clock_was_set(self, step: timedelta) -> None:
        """Take note that the time of day jumped."""
        self._clock_moved += step
        self._clock_moved_at = time.monotonic()

    async def look(self) -> BoxFacts:
        """Return what is known now."""
        is_due = self._looks % SAMPLES_PER_SLOW_LOOK == 0
        self._looks += 1
        if is_due:
            self._slow = await self._look_closely()
        slow, models = self._slow, self.rooms.models
        damaged = models.in_state("damaged")
        return BoxFacts(
            engine=self._engine(),
            name_conflict=self._taken_name(),
            damaged_models=tuple(card.id for card in damaged),
            offered_models=tuple(card.id for card in damaged if card.is_offered),
            unfinished_downloads=len(models.in_state("paused", "failed")),
            database_faults=self.integrity.faults,
            update=slow.update,
            certificate_expires_at=slow.certificate_expires_at,
            failed_sign_ins=slow.failed_sign_ins,
            units=slow.units,
            clock_moved_seconds=self._clock_moved.total_seconds(),
            clock_moved_ago_seconds=time.monotonic() - self._clock_moved_at,
            reserve_given_up=self._reserve.is_wanted and not self._reserve.is_kept,
            memory_channels=self._ground.hardware.machine.memory_channels,
            ssh_open_until=await self._ask(self._ssh_open_until, None),
        )

    async def _ssh_open_until(self) -> datetime | None:
        """Return when SSH closes, as the clocks of the household show it."""
        until = self.rooms.ssh.open_until()
        if until is None:
            return None
        return until.astimezone(ZoneInfo((await self._ground.boxes.load()).time_zone))

    def _taken_name(self) -> str | None:
        """Return the name that another machine has; the announcer's sentence is for screens."""
        presence = self.rooms.presence
        if presence.identity is None or presence.conflict() is None:
            return None
        return f"{presence.identity.label}.local"

    def _engine(self) -> EngineFacts:
        status = self.rooms.engine.status()
        return EngineFacts(
            state=status.state,
            rests=self.rooms.models.rests,
            active=status.active,
            waiting=status.waiting,
            restarts=status.restarts,
            speed=self._speeds.current(status.model_id),
            record=self._speeds.record(status.model_id),
            last_error=status.last_error,
        )

    async def _look_closely(self) -> BoxFacts:
        await self._ask(self.integrity.look, None)
        certificate = await asyncio.to_thread(self._ground.certificates.facts)
        states = await read_units() if self._ask_units else ()
        return BoxFacts(
            update=await self._ask(self._update, None),
            certificate_expires_at=certificate.expires_at if certificate else None,
            failed_sign_ins=await self._ask(self._sign_ins, 0),
            units=tuple(self._unit(state) for state in states),
        )

    def _unit(self, state: UnitState) -> Unit:
        """Return it with its new starts that are kept; those by hand systemd does not count."""
        kept = self._starts.in_the_last_hour() if state.name == RUNTIME else 0
        return Unit(state.name, state.failed, state.restarts, min(kept, state.restarts))

    async def _ask(self, question: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """Return the answer; who cannot answer keeps no other from being asked."""
        try:
            return await question()
        except StorageDamaged as error:
            self.integrity.note(error)
        except AlleracError as error:
            log.info("health_not_told", reason=error.code)
        return otherwise

    async def _sign_ins(self) -> int:
        since = datetime.now(UTC) - SIGN_INS_WINDOW
        return await self._ground.attempts.total("account", since=since)

    async def _update(self) -> UpdateFacts:
        status = await self.rooms.updates.status()
        offer = status.available
        has_failed = status.state in FAILED_UPDATES and status.reason not in NOT_ASKED
        return UpdateFacts(
            failed=status.reason if has_failed else None,
            version=str(offer.version) if offer else None,
            offered_at=offer.released_at if offer else None,
        )
