"""What is done for an update: each act is written down before it is begun.

A crash between the two leaves a record that `truth.explain` compares with the machine.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from allerac.errors import AlleracError, UpdateFailed
from allerac.storage.box import BoxRecord
from allerac.storage.updates import Begun, Ended, UpdateRecord

from .installation import Installation
from .journal import Journal
from .offer import (
    Circumstances,
    Offer,
    ThisBox,
    Withheld,
    choose,
    is_in_rollout,
    is_possible,
    withheld,
)
from .parts import Parts
from .progress import Progress
from .rauc import Slots
from .reasons import REASONS, failed
from .removable import offer_of_file
from .restart import stay
from .schedule import MOST_TRIES, back_off
from .snapshots import Snapshots
from .standing import require_on_offer
from .states import RESTING, Event
from .truth import Explanation, Truth, explain, holds
from .verdict import is_about
from .version import Version

log = structlog.get_logger()

UNKNOWN_VERSION: Final = "unknown"
MOST_EXPLANATIONS: Final = 4
RESTART_SECONDS: Final = 180.0
"""How long the services may take to end before a restart counts as failed."""


class Acts:
    """Everything that changes something. The caller does one at a time."""

    def __init__(
        self,
        parts: Parts,
        box: ThisBox,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        installation: Installation | None = None,
        patience_seconds: float = RESTART_SECONDS,
    ) -> None:
        self.store = parts.store
        self.drives = parts.drives
        self.journal = Journal(parts.store, clock)
        self._household = parts.household
        self._catalogue = parts.catalogue
        self._installer = parts.installer
        self._machine = parts.machine
        self._verdicts = parts.verdicts
        self._measure = parts.measure
        self._snapshots = Snapshots(parts.snapshots_folder, parts.store)
        self._box = box
        self._clock = clock
        self._installation = installation or Installation(parts.installer)
        self._patience_seconds = patience_seconds
        self._restarts_until = 0.0

    @property
    def installed(self) -> Version:
        """The version that runs."""
        return self._box.installed

    @property
    def progress(self) -> Progress | None:
        """How far the installation is; None when there is none."""
        return self._installation.progress

    @property
    def can_check(self) -> bool:
        """Whether there is a server to ask."""
        return self._catalogue is not None

    def channel(self, record: UpdateRecord) -> str:
        """Return the channel that the owner chose, or the box's own."""
        return record.channel or self._box.channel

    async def is_for_all(self, record: UpdateRecord) -> bool:
        """Tell whether what is available would come without being asked for."""
        offer = Offer.restored(record.offer)
        if offer is None:
            return False
        box = await self._circumstances(record)
        wanted = str(offer.version) not in box.unwanted
        return wanted and is_possible(offer, box) and is_in_rollout(box.device_id, offer)

    async def may_come(self, record: UpdateRecord) -> bool:
        """Tell whether what is under way may go on by itself: a wish may have changed since.

        Whoever took a file from a drive wished for that very version.
        """
        offer = Offer.restored(record.offer)
        if offer is None or record.origin == "drive":
            return True
        return is_possible(offer, await self._circumstances(record))

    async def withheld(self, record: UpdateRecord) -> Withheld | None:
        """Return the newest version that the server offers if it does not come by itself."""
        if self._catalogue is None:
            return None
        return withheld(await self._catalogue.known(), await self._circumstances(record))

    async def check(self, *, by_owner: bool) -> None:
        """Ask the server what there is. Raises `UpdateFailed` for an owner who waits for it."""
        if self._catalogue is None:
            raise failed("no_server")
        record = await self.journal.move("check")
        event: Event = "kept" if record.offer else "nothing"
        try:
            listing = await self._catalogue.refresh(record.trusted_at)
        except UpdateFailed as error:
            log.warning("update_check_failed", reason=error.reason, detail=error.detail)
            await self.journal.move(event, **self._waiting(record, error))
            if by_owner:
                raise
            return
        offer = choose(listing.offers, await self._circumstances(record), by_owner=by_owner)
        await self._take_note(record, offer, listing.proven_at)

    async def install(self, offer: Offer | None = None) -> None:
        """Install what is available, or `offer` of a drive. How it ends is in the record."""
        before = await self.journal.load()
        origin = "drive" if offer is not None else before.origin or "server"
        offer = offer or Offer.restored(before.offer)
        if offer is None:
            await self.journal.note(offer=None, checked_at=None)
            return
        try:
            slots = await self._installer.slots()
            _require_proven(slots)
        except UpdateFailed as error:
            await self.journal.note(**self._waiting(before, error))
            return
        goes_on = before.history_id is not None and before.offer == offer.kept()
        record = await self.journal.move(
            "install",
            ended=None if goes_on else _given_up(before),
            begun=None if goes_on else self._begun(offer, origin),
            offer=offer.kept(),
            origin=origin,
            from_slot=slots.booted.name,
            boot_id=self._machine.boot_id(),
        )
        try:
            await require_on_offer(self._catalogue, record, self.installed)
        except UpdateFailed as error:
            await self._fail(error)
        else:
            await self._bring(offer, self._installation.bring)

    async def follow(self) -> None:
        """Go on with an installation that an earlier run of the runtime began."""
        offer = Offer.restored((await self.journal.load()).offer)
        if offer is not None:
            await self._bring(offer, self._installation.follow)

    async def restart(self) -> None:
        """Switch to the other slot.

        Raises `UpdateFailed`, also for a version that was withdrawn since it was installed, and
        `StorageUnavailable`.
        """
        record = await self.journal.load()
        try:
            await require_on_offer(self._catalogue, record, self.installed)
        except UpdateFailed as error:
            ended = Ended("failed", error.reason)
            await self.journal.move(
                "withdrawn", ended=ended, offer=None, reason=error.reason, detail=None
            )
            raise
        slots = await self._installer.slots()
        if not holds(slots.other, record.offer):
            await self.journal.move("lost", reason="slot_lost", detail=None)
            raise failed("slot_lost")
        await self.journal.move("restart", reason=None, detail=None, **self._switch_from(slots))
        await self._switch("restart_failed")

    async def go_back(self) -> None:
        """Switch to the version before. Raises `UpdateFailed` when there is none that works."""
        before, slots = await self.journal.load(), await self._installer.slots()
        if not (slots.other.bootable and slots.other.complete):
            raise failed("no_other_version")
        version = await self._version_in_other(slots)
        await self.journal.move(
            "go_back",
            ended=_given_up(before),
            begun=Begun(version, str(self.installed), "other_slot", None),
            offer=None,
            origin="other_slot",
            reason=None,
            detail=None,
            **self._switch_from(slots),
        )
        await self._switch("cancelled")

    async def other_version(self) -> str | None:
        """Return the version to go back to; None when there is none, or nobody knows now."""
        try:
            slots = await self._installer.slots()
        except UpdateFailed:
            return None
        if not (slots.other.bootable and slots.other.complete):
            return None
        return await self._version_in_other(slots)

    async def offer_on_drive(self, name: str) -> Offer:
        """Look into a bundle on a drive. Raises `NotFound`, `UpdateFailed` for one not for us."""
        path = await asyncio.to_thread(self.drives.path_of, name)
        bundle = await self._installer.inspect(str(path))
        known = await self._catalogue.known() if self._catalogue is not None else ()
        return offer_of_file(path, bundle, known, self._box)

    async def reconcile(self) -> None:
        """Bring the record in line with the machine. Raises `UpdateFailed` without an installer."""
        for _ in range(MOST_EXPLANATIONS):
            record = await self.journal.load()
            if record.state in RESTING or time.monotonic() < self._restarts_until:
                return
            installing = await self._installer.is_installing()
            if installing:
                return
            truth = Truth(self._machine.boot_id(), await self._installer.slots(), installing)
            explanation = explain(record, truth)
            if explanation is None:
                return
            log.info("update_explained", state=record.state, cause=explanation.event)
            await self._accept(record, explanation)

    async def _accept(self, record: UpdateRecord, explanation: Explanation) -> None:
        event, reason = explanation.event, explanation.reason
        switched_off = record.boot_id != self._machine.boot_id()
        if event in {"cancelled", "restart_failed"} and not switched_off:
            await stay(self._installer, other_works=event == "cancelled")
        if event == "install_failed":
            await self._fail(failed(reason or "interrupted"))
        elif event == "proved":
            done = {"offer": None, "reason": None, "detail": None, **_UNTRIED}
            await self.journal.move(event, ended=Ended("good"), **done)
            await self._snapshots.keep_newest()
        elif event == "fell_back":
            await self._fall_back(record, reason)
        elif event == "cancelled":
            await self.journal.move(event, ended=Ended("failed", reason), origin=None)
        elif event in {"arrived", "installed", "kept", "nothing"}:
            await self.journal.move(event)
        else:
            await self.journal.move(event, reason=reason, detail=None)

    async def _fall_back(self, record: UpdateRecord, reason: str | None) -> None:
        """Ask the gate for the reason: it left it where both systems find it."""
        verdict, detail = await self._verdicts.last(), None
        if verdict is not None and not verdict.passed and is_about(verdict, record):
            reason, detail = verdict.reason or reason, verdict.detail
        await self.journal.move(
            "fell_back",
            ended=Ended("rolled_back", reason, detail),
            offer=None,
            reason=reason,
            detail=detail,
            **_UNTRIED,
        )

    async def _take_note(
        self, record: UpdateRecord, offer: Offer | None, proven_at: datetime
    ) -> None:
        same = offer is not None and record.offer == offer.kept()
        known = max(proven_at, record.trusted_at or proven_at)
        await self.journal.move(
            "nothing" if offer is None else "found",
            ended=None if same else _given_up(record),
            offer=None if offer is None else offer.kept(),
            origin=None if offer is None else "server",
            reason=None,
            detail=None,
            checked_at=self._clock(),
            trusted_at=known,
            **_UNTRIED,
        )

    async def _bring(
        self, offer: Offer, how: Callable[[Offer, Callable[[], None]], Awaitable[None]]
    ) -> None:
        try:
            await how(offer, self.journal.tell)
        except UpdateFailed as error:
            log.warning("update_not_installed", reason=error.reason, detail=error.detail)
            await self._fail(error)
        else:
            await self.journal.move("installed", reason=None, detail=None, **_UNTRIED)

    async def _fail(self, error: UpdateFailed) -> None:
        """Try again later what passes; end what does not, or did not pass often enough."""
        record = await self.journal.load()
        waiting = self._waiting(record, error)
        if REASONS[error.reason].passes and waiting["tries"] < MOST_TRIES:
            await self.journal.move("install_failed", **waiting)
            return
        ended = Ended("failed", error.reason, error.detail)
        values = {**waiting, **_UNTRIED, "offer": None}
        await self.journal.move("refused", ended=ended, **values)

    def _waiting(self, record: UpdateRecord, error: UpdateFailed) -> dict[str, Any]:
        return {**self._later(record), "reason": error.reason, "detail": error.detail}

    def _later(self, record: UpdateRecord) -> dict[str, Any]:
        tries = record.tries + 1
        return {"tries": tries, "not_before": self._clock() + back_off(tries)}

    async def _switch(self, undo: Event) -> None:
        try:
            await self._snapshots.take(self.installed)
            attempt = (await self.journal.load()).history_id
            await self._measure.record(attempt, with_speed=undo != "cancelled")
            await self._installer.mark("active", "other")
            await self._machine.restart()
            self._restarts_until = time.monotonic() + self._patience_seconds
        except AlleracError as error:
            with suppress(UpdateFailed):
                await stay(self._installer, other_works=undo == "cancelled")
            name = error.reason if isinstance(error, UpdateFailed) else "disk_full"
            told: dict[str, Any] = {"reason": name, "detail": error.message}
            if undo == "cancelled":
                await self.journal.move(undo, ended=Ended("failed", name), **told)
            else:
                await self.journal.move(undo, **told, **self._later(await self.journal.load()))
            raise

    def _switch_from(self, slots: Slots) -> dict[str, Any]:
        return {
            "from_slot": slots.booted.name,
            "boot_id": self._machine.boot_id(),
            "activations": slots.other.activations,
        }

    def _begun(self, offer: Offer, origin: str) -> Begun:
        return Begun(str(offer.version), str(self.installed), origin, offer.notes)

    async def _version_in_other(self, slots: Slots) -> str:
        """Return the other slot's version; the factory's slot does not know its own."""
        if slots.other.version is not None:
            return slots.other.version
        past = await self.store.history(100)
        return next((row.from_version for row in past if row.result == "good"), UNKNOWN_VERSION)

    async def _circumstances(self, record: UpdateRecord) -> Circumstances:
        household: BoxRecord = await self._household.load()
        pinned = record.pinned_version
        return Circumstances(
            device_id=household.device_id,
            tier=self._box.tier,
            installed=self.installed,
            channel=self.channel(record),
            pinned=None if pinned is None else Version.read(pinned),
            unwanted=await self.store.unwanted_versions(),
        )


_UNTRIED: Final[dict[str, Any]] = {"tries": 0, "not_before": None}


def _require_proven(slots: Slots) -> None:
    """Refuse while the gate still judges what runs, which nobody could come back to.

    The installer serves one at a time, so an installation would keep the gate from marking it.
    """
    if not slots.booted.bootable:
        raise failed("device_not_ready", f"{slots.booted.name} has not proven itself yet")


def _given_up(record: UpdateRecord) -> Ended | None:
    """Return how the row of an update ends that another one takes the place of."""
    return None if record.history_id is None else Ended("failed", record.reason, record.detail)
