"""Updates of this box: what may be asked of them, and what happens by itself.

What is done is in `acts.py` and `switch.py`; here is who may begin it, and when.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

import structlog

from allerac.errors import AlleracError, Conflict, InvalidInput
from allerac.storage.box import BoxStore
from allerac.storage.updates import PastUpdate

from .acts import Acts
from .offer import CHANNELS, Offer, Withheld
from .progress import Progress
from .reasons import failed
from .removable import BundleFile
from .schedule import LONGEST_POSTPONEMENT, Moment, due, next_quiet
from .states import RESTING
from .version import Version

log = structlog.get_logger()

LOOK_SECONDS: Final = 30.0
PROOF_LOOK_SECONDS: Final = 3.0
HISTORY_LENGTH: Final = 50
SETTLED: Final = (*RESTING, "installed")
"""Nothing changes by itself, so the installer is asked once and left to sleep."""

Step = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    """All that a page shows; `reason` is the name of what went wrong last.

    On a machine without boot slots, `supported` is False and nothing ever happens.
    """

    supported: bool
    state: str
    installed: str
    available: Offer | None
    withheld: Withheld | None
    progress: Progress | None
    reason: str | None
    detail: str | None
    origin: str | None
    channel: str
    pinned_version: str | None
    postponed_until: datetime | None
    checked_at: datetime | None
    automatic: bool
    hour: int
    restarts_at: datetime | None
    other_version: str | None


class UpdateService:
    """Begins each act at most once at a time, for a person or because it is due."""

    def __init__(
        self,
        *,
        acts: Acts,
        household: BoxStore,
        is_busy: Callable[[], bool],
        supported: bool = True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._acts = acts
        self._selection = acts.selection
        self._household = household
        self._is_busy = is_busy
        self._supported = supported
        self._clock = clock
        self._look_seconds = look_seconds
        self._turn = asyncio.Lock()
        self._act: asyncio.Task[None] | None = None
        self._tending: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._other_version: str | None = None
        self._seen_state = ""

    async def start(self) -> None:
        """Find out what became of the update under way, in the background, and go on."""
        if self._supported:
            self._tending = asyncio.create_task(self._tend())

    async def stop(self) -> None:
        """Leave what is under way; an installation goes on and is found again."""
        tasks = [task for task in (self._tending, self._act) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def status(self) -> UpdateStatus:
        """Return where the update is."""
        record, box = await self._acts.journal.load(), await self._household.load()
        automatic = box.automatic_updates and box.claimed_at is not None
        waits = record.state == "installed" and automatic and await self._selection.may_come(record)
        after = max(self._clock(), record.postponed_until or self._clock())
        return UpdateStatus(
            supported=self._supported,
            state=record.state,
            installed=str(self._selection.installed),
            available=Offer.restored(record.offer),
            withheld=await self._selection.withheld(record),
            progress=self._acts.progress,
            reason=record.reason,
            detail=record.detail,
            origin=record.origin,
            channel=self._selection.channel(record),
            pinned_version=record.pinned_version,
            postponed_until=record.postponed_until,
            checked_at=record.checked_at,
            automatic=automatic,
            hour=box.update_hour,
            restarts_at=next_quiet(after, box) if waits else None,
            other_version=self._other_version,
        )

    async def changes(self) -> AsyncIterator[UpdateStatus]:
        """Yield the status now and after every change."""
        while True:
            version = self._acts.journal.version
            yield await self.status()
            await self._acts.journal.changed_since(version)

    async def history(self) -> list[PastUpdate]:
        """Return the last updates, the newest first."""
        return await self._acts.store.history(HISTORY_LENGTH)

    async def check(self) -> UpdateStatus:
        """Look for an update now, wherever its rollout is. Raises `Conflict`."""
        await self._require(*RESTING)
        await self._do(partial(self._acts.check, by_owner=True))
        return await self.status()

    async def install(self) -> UpdateStatus:
        """Begin to install what is available; nobody waits for the end. Raises `Conflict`."""
        await self._require("available")
        self._begin(self._acts.install)
        return await self.status()

    async def install_from_drive(self, name: str) -> UpdateStatus:
        """Begin to install a file of `drive_bundles`.

        Raises `Conflict`, `NotFound`, and `UpdateFailed` for a bundle that this box may not take.
        """
        await self._require(*RESTING)
        offer = await self._selection.on_drive(name)
        self._begin(partial(self._acts.install, offer))
        return await self.status()

    async def drive_bundles(self) -> list[BundleFile]:
        """Return bundles on drives that are plugged in."""
        return await asyncio.to_thread(self._acts.drives.bundles)

    async def restart(self) -> UpdateStatus:
        """Switch to what is installed, now. Raises `Conflict` and `UpdateFailed`."""
        await self._require("installed")
        await self._do(self._acts.switch.forward)
        return await self.status()

    async def go_back(self) -> UpdateStatus:
        """Switch to the version before, now. Raises `Conflict` and `UpdateFailed`."""
        await self._require(*RESTING)
        await self._do(self._acts.switch.back)
        return await self.status()

    async def postpone(self, until: datetime | None) -> UpdateStatus:
        """Do nothing by itself before `until`. Raises `InvalidInput` for more than 30 days."""
        if until is not None and until - self._clock() > LONGEST_POSTPONEMENT:
            reason = f"At most {LONGEST_POSTPONEMENT.days} days."
            raise InvalidInput(
                "That is too far away.", hint=reason, fields={"postponed_until": reason}
            )
        await self._acts.journal.note(postponed_until=until)
        return await self.status()

    async def pin(self, version: str | None) -> UpdateStatus:
        """Go no further than `version`, None for no limit. Raises `InvalidInput`."""
        try:
            pinned = None if version is None else Version.read(version)
        except ValueError as error:
            raise InvalidInput("That is no version.", fields={"version": "Like 1.2.3."}) from error
        await self._acts.journal.note(pinned_version=None if pinned is None else str(pinned))
        return await self.status()

    async def choose_channel(self, channel: str) -> UpdateStatus:
        """Take updates of this channel from the next check on. Raises `InvalidInput`."""
        if channel not in CHANNELS:
            raise InvalidInput("There is no such channel.", fields={"channel": "stable or beta."})
        await self._acts.journal.note(channel=channel, checked_at=None)
        self._wake.set()
        return await self.status()

    def look(self) -> None:
        """Look now for what is due: a wish has changed, or the gate has spoken."""
        self._wake.set()

    async def _require(self, *states: str) -> None:
        if not self._supported:
            raise failed("installer_unavailable")
        record = await self._acts.journal.load()
        if self._is_acting or record.state not in states:
            raise Conflict(
                "The box is busy with another step of an update.",
                hint="Wait until it is done.",
            )

    @property
    def _is_acting(self) -> bool:
        return self._act is not None and not self._act.done()

    def _begin(self, act: Step) -> asyncio.Task[None]:
        if self._is_acting:
            raise Conflict("Another step of an update is under way.", hint="Wait a moment.")
        self._act = asyncio.create_task(self._in_turn(act))
        self._act.add_done_callback(self._ended)
        return self._act

    async def _in_turn(self, act: Step) -> None:
        """Do it while nobody explains the record, who takes a step half done for one cut off."""
        async with self._turn:
            await act()

    async def _do(self, act: Step) -> None:
        """Do it to the end, even when the one who asked is gone."""
        await asyncio.shield(self._begin(act))

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._wake.set()
        error = None if task.cancelled() else task.exception()
        if isinstance(error, AlleracError):
            log.warning("update_act_failed", reason=error.message)
        elif error is not None:
            log.error("update_act_failed_unexpectedly", exc_info=error)

    async def _tend(self) -> None:
        """Do what is due, for ever: the boundary of a task that must go on."""
        while True:
            self._wake.clear()
            wait_seconds = self._look_seconds
            try:
                if not self._is_acting:
                    wait_seconds = await self._tend_once()
            except AlleracError as error:
                log.warning("update_not_tended", reason=error.message)
            except Exception:
                log.exception("update_not_tended_unexpectedly")
            try:
                async with asyncio.timeout(wait_seconds):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _tend_once(self) -> float:
        """Begin what is due; return how long to wait for the next look."""
        record = await self._acts.journal.load()
        if record.state != self._seen_state or record.state not in SETTLED:
            await self._in_turn(self._acts.reconcile)
            self._other_version = await self._acts.switch.other_version()
            record = await self._acts.journal.load()
            self._seen_state = record.state
        box = await self._household.load()
        moment = Moment(
            now=self._clock(),
            is_busy=self._is_busy(),
            is_for_all=await self._selection.is_for_all(record),
            may_come=await self._selection.may_come(record),
        )
        act = due(record, box, moment)
        if act == "check" and self._selection.can_ask:
            self._begin(partial(self._acts.check, by_owner=False))
        elif act == "install":
            self._begin(self._acts.install)
        elif act == "restart":
            self._begin(self._acts.switch.forward)
        elif record.state == "downloading":
            self._begin(self._acts.follow)
        return PROOF_LOOK_SECONDS if record.state == "proving" else self._look_seconds
