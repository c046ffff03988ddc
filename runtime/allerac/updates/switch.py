"""The switch to the other slot: into what was installed, or back to the version before."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from allerac.errors import AlleracError, UpdateFailed
from allerac.storage.updates import Begun, Ended

from .journal import Journal, given_up
from .parts import Parts
from .rauc import Slots
from .reasons import failed
from .restart import stay
from .schedule import try_later
from .selection import Selection
from .snapshots import Snapshots
from .states import Event
from .truth import holds

UNKNOWN_VERSION: Final = "unknown"
RESTART_SECONDS: Final = 180.0
"""How long the services may take to end before a restart counts as failed."""


class Switch:
    """What has begun is over with the boot; `is_under_way` until then."""

    def __init__(
        self,
        parts: Parts,
        journal: Journal,
        selection: Selection,
        snapshots: Snapshots,
        *,
        clock: Callable[[], datetime],
        patience_seconds: float = RESTART_SECONDS,
    ) -> None:
        self._store = parts.store
        self._installer = parts.installer
        self._machine = parts.machine
        self._measure = parts.measure
        self._journal = journal
        self._selection = selection
        self._snapshots = snapshots
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._restarts_until = 0.0

    @property
    def is_under_way(self) -> bool:
        """Whether the machine is about to restart."""
        return time.monotonic() < self._restarts_until

    async def forward(self) -> None:
        """Switch to what was installed.

        Raises `UpdateFailed`, also for a version that was withdrawn since it was installed, and
        `StorageUnavailable`.
        """
        record = await self._journal.load()
        try:
            await self._selection.require_on_offer(record)
        except UpdateFailed as error:
            ended = Ended("failed", error.reason)
            await self._journal.move(
                "withdrawn", ended=ended, offer=None, reason=error.reason, detail=None
            )
            raise
        slots = await self._installer.slots()
        if not holds(slots.other, record.offer):
            await self._journal.move("lost", reason="slot_lost", detail=None)
            raise failed("slot_lost")
        await self._journal.move("restart", reason=None, detail=None, **self._from(slots))
        await self._begin("restart_failed")

    async def back(self) -> None:
        """Switch to the version before. Raises `UpdateFailed` when there is none that works."""
        before, slots = await self._journal.load(), await self._installer.slots()
        if not (slots.other.bootable and slots.other.complete):
            raise failed("no_other_version")
        version = await self._version_in_other(slots)
        await self._journal.move(
            "go_back",
            ended=given_up(before),
            begun=Begun(version, str(self._selection.installed), "other_slot", None),
            offer=None,
            origin="other_slot",
            reason=None,
            detail=None,
            **self._from(slots),
        )
        await self._begin("cancelled")

    async def other_version(self) -> str | None:
        """Return the version to go back to; None when there is none, or nobody knows now."""
        try:
            slots = await self._installer.slots()
        except UpdateFailed:
            return None
        if not (slots.other.bootable and slots.other.complete):
            return None
        return await self._version_in_other(slots)

    async def _begin(self, undo: Event) -> None:
        try:
            await self._snapshots.take(self._selection.installed)
            attempt = (await self._journal.load()).history_id
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
                await self._journal.move(undo, ended=Ended("failed", name), **told)
            else:
                later = try_later((await self._journal.load()).tries, self._clock())
                await self._journal.move(undo, **told, **later)
            raise

    def _from(self, slots: Slots) -> dict[str, Any]:
        return {
            "from_slot": slots.booted.name,
            "boot_id": self._machine.boot_id(),
            "activations": slots.other.activations,
        }

    async def _version_in_other(self, slots: Slots) -> str:
        """Return the other slot's version; the factory's slot does not know its own."""
        if slots.other.version is not None:
            return slots.other.version
        past = await self._store.history(100)
        return next((row.from_version for row in past if row.result == "good"), UNKNOWN_VERSION)
