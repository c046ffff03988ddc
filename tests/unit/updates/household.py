"""The updates of a claimed box, with a real database around an emulated machine."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from allerac.errors import UpdateFailed
from allerac.storage import Database
from allerac.storage.box import BoxStore
from allerac.storage.updates import Begun, Ended, UpdateRecord, UpdateStore
from allerac.updates.acts import Acts
from allerac.updates.installation import Installation
from allerac.updates.listing import Listing
from allerac.updates.offer import Offer, ThisBox
from allerac.updates.parts import Parts
from allerac.updates.reasons import failed
from allerac.updates.removable import RemovableDrives
from allerac.updates.service import UpdateService, UpdateStatus
from allerac.updates.verdict import Verdict
from allerac.updates.version import Version

from .emulated_box import EmulatedBox, bundle_of
from .publisher import TIER, hash_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NIGHT = NOON.replace(hour=2, minute=10) + DAY
"""In the quiet hour."""


def offer_of(version: str, **fields: Any) -> Offer:
    """Return an offer as the catalogue reads it."""
    custom = {
        "tier": TIER,
        "version": version,
        "channel": "stable",
        "percentage": 100,
        "halted": False,
        "minimum_version": "0.0.0",
        "manifest_hash": hash_of(version),
        "notes": {"en": "Better."},
        "released_at": NOON.isoformat(),
        **fields,
    }
    return Offer.of(custom, source=f"http://updates/{version}", size_bytes=1_000_000)


class Wares:
    """A catalogue that offers `offers` when it `may_answer`, or raises the reason `problem`."""

    def __init__(self, *offers: Offer) -> None:
        self.offers: list[Offer] = list(offers)
        self.problem: str | None = None
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def refresh(self, known_at: datetime | None) -> Listing:
        """Return what is offered."""
        self.asked += 1
        await self.may_answer.wait()
        if self.problem is not None:
            raise failed(self.problem, f"known at {known_at}")
        return Listing(tuple(self.offers), NOON - timedelta(days=1))

    async def known(self) -> Sequence[Offer]:
        """Return the same."""
        return self.offers


class GateFile:
    """What a gate left for the other system."""

    def __init__(self) -> None:
        self.verdict: Verdict | None = None

    async def last(self) -> Verdict | None:
        """Return it."""
        return self.verdict


class Measured:
    """What was recorded, and before which attempt."""

    def __init__(self) -> None:
        self.attempts: list[tuple[str | None, bool]] = []

    async def record(self, attempt: str | None = None, *, with_speed: bool = True) -> bool:
        """Note it."""
        self.attempts.append((attempt, with_speed))
        return True


class TornStore(UpdateStore):
    """Lets the power go before and after each write.

    Others may read what was written `reads_ahead` times before the writer hears that it is.
    """

    def __init__(self, database: Database, cut: Callable[[str], None]) -> None:
        super().__init__(database)
        self._cut = cut
        self.reads_ahead = 0

    async def change(
        self,
        values: Mapping[str, Any],
        now: datetime,
        *,
        begun: Begun | None = None,
        ended: Ended | None = None,
    ) -> UpdateRecord:
        """Write, if the power stays."""
        self._cut(f"before {values.get('state')}")
        record = await super().change(values, now, begun=begun, ended=ended)
        self._cut(f"after {values.get('state')}")
        for _ in range(self.reads_ahead):
            await self.load()
        return record


@dataclass(slots=True)
class Clock:
    """A time that only tests move."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        """Return it."""
        return self.now


@dataclass(slots=True)
class Household:
    """Everything of one run of the runtime; `again` is the next one, on the same machine."""

    folder: Path
    database: Database
    machine: EmulatedBox
    wares: Wares
    gate: GateFile
    clock: Clock
    boxes: BoxStore
    store: TornStore
    parts: Parts
    acts: Acts
    measured: Measured
    busy: bool = False

    def service(self, acts: Acts | None = None) -> UpdateService:
        """Return the service, not started; `acts` are other ones than `self.acts`."""
        return UpdateService(
            acts=acts or self.acts,
            household=self.boxes,
            is_busy=lambda: self.busy,
            clock=self.clock,
            look_seconds=0.02,
        )

    def again(self) -> "Household":
        """Return the runtime after a restart."""
        return _household(
            self.folder, self.database, self.machine, self.wares, self.gate, self.clock
        )

    async def state(self) -> str:
        """Return the state in the record."""
        return (await self.store.load()).state

    async def reason_of(self, act: Any) -> str:
        """Do something and return why it failed; print it."""
        try:
            await act
        except UpdateFailed as error:
            sys.stdout.write(f"{error.reason}: {error.message} ({error.detail})\n")
            return error.reason
        return "it did not fail"


@asynccontextmanager
async def open_household(folder: Path, *offers: Offer) -> AsyncIterator[Household]:
    """Open the database of a box that was claimed, with updates at three in the night."""
    database = Database(folder / "allerac.sqlite")
    await database.open()
    machine = EmulatedBox(bundles={offer.source: bundle_of(str(offer.version)) for offer in offers})
    home = _household(folder, database, machine, Wares(*offers), GateFile(), Clock())
    await home.boxes.load()
    claimed_at = int(NOON.timestamp() * 1000)
    await home.boxes.change({"claimed_at": claimed_at, "time_zone": "Europe/Berlin"})
    try:
        yield home
    finally:
        await database.close()


@asynccontextmanager
async def running(home: Household) -> AsyncIterator[UpdateService]:
    """Run the service."""
    service = home.service()
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


async def until(service: UpdateService, state: str) -> UpdateStatus:
    """Wait for a state."""
    async with asyncio.timeout(20):
        async for status in service.changes():
            if status.state == state:
                return status
    raise AssertionError("changes never end")


async def bring_to(home: Household, state: str) -> None:
    """Take the steps up to a state."""
    steps = {
        "available": lambda: home.acts.check(by_owner=True),
        "installed": home.acts.install,
        "rebooting": home.acts.switch.forward,
    }
    for name, step in steps.items():
        await step()
        if name == state:
            return


def _household(
    folder: Path,
    database: Database,
    machine: EmulatedBox,
    wares: Wares,
    gate: GateFile,
    clock: Clock,
) -> Household:
    boxes = BoxStore(database)
    store = TornStore(database, lambda point: machine.cut(point))
    measured = Measured()
    running = machine.root("booted").version or "1.0.0"
    parts = Parts(
        store=store,
        household=boxes,
        catalogue=wares,
        installer=machine,
        machine=machine,
        drives=RemovableDrives(folder / "media"),
        verdicts=gate,
        measure=measured,
        snapshots_folder=folder / "snapshots",
    )
    acts = Acts(
        parts,
        ThisBox(TIER, Version.read(running), "stable"),
        clock=clock,
        installation=Installation(machine, ready_seconds=0),
    )
    return Household(
        folder, database, machine, wares, gate, clock, boxes, store, parts, acts, measured
    )
