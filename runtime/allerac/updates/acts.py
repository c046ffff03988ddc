"""What is done for an update: each act is written down before it is begun.

A crash between the two leaves a record that `truth.explain` compares with the machine.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from allerac.errors import UpdateFailed
from allerac.storage.updates import Begun, Ended, UpdateRecord

from .installation import Installation
from .journal import Journal, given_up
from .offer import Offer, ThisBox
from .parts import Parts
from .progress import Progress
from .rauc import Slots
from .reasons import REASONS, failed
from .restart import stay
from .schedule import MOST_TRIES, UNTRIED, try_later
from .selection import Selection
from .snapshots import Snapshots
from .states import RESTING, Event
from .switch import RESTART_SECONDS, Switch
from .truth import Explanation, Truth, explain
from .verdict import is_about

log = structlog.get_logger()

MOST_EXPLANATIONS: Final = 4


class Acts:
    """Everything that changes something, the `switch` too. The caller does one at a time."""

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
        self.selection = Selection(parts, box)
        self._snapshots = Snapshots(parts.snapshots_folder, parts.store)
        self.switch = Switch(
            parts,
            self.journal,
            self.selection,
            self._snapshots,
            clock=clock,
            patience_seconds=patience_seconds,
        )
        self._installer = parts.installer
        self._machine = parts.machine
        self._verdicts = parts.verdicts
        self._clock = clock
        self._installation = installation or Installation(parts.installer)

    @property
    def progress(self) -> Progress | None:
        """How far the installation is; None when there is none."""
        return self._installation.progress

    async def check(self, *, by_owner: bool) -> None:
        """Ask the server what there is. Raises `UpdateFailed` for an owner who waits for it."""
        if not self.selection.can_ask:
            raise failed("no_server")
        record = await self.journal.move("check")
        event: Event = "kept" if record.offer else "nothing"
        try:
            offer, proven_at = await self.selection.ask(record, by_owner=by_owner)
        except UpdateFailed as error:
            log.warning("update_check_failed", reason=error.reason, detail=error.detail)
            await self.journal.move(event, **self._waiting(record, error))
            if by_owner:
                raise
            return
        await self._take_note(record, offer, proven_at)

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
            ended=None if goes_on else given_up(before),
            begun=None if goes_on else self._begun(offer, origin),
            offer=offer.kept(),
            origin=origin,
            from_slot=slots.booted.name,
            boot_id=self._machine.boot_id(),
        )
        try:
            await self.selection.require_on_offer(record)
        except UpdateFailed as error:
            await self._fail(error)
        else:
            await self._bring(offer, self._installation.bring)

    async def follow(self) -> None:
        """Go on with an installation that an earlier run of the runtime began."""
        offer = Offer.restored((await self.journal.load()).offer)
        if offer is not None:
            await self._bring(offer, self._installation.follow)

    async def reconcile(self) -> None:
        """Bring the record in line with the machine. Raises `UpdateFailed` without an installer."""
        for _ in range(MOST_EXPLANATIONS):
            record = await self.journal.load()
            if record.state in RESTING or self.switch.is_under_way:
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
            done = {"offer": None, "reason": None, "detail": None, **UNTRIED}
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
            **UNTRIED,
        )

    async def _take_note(
        self, record: UpdateRecord, offer: Offer | None, proven_at: datetime
    ) -> None:
        same = offer is not None and record.offer == offer.kept()
        known = max(proven_at, record.trusted_at or proven_at)
        await self.journal.move(
            "nothing" if offer is None else "found",
            ended=None if same else given_up(record),
            offer=None if offer is None else offer.kept(),
            origin=None if offer is None else "server",
            reason=None,
            detail=None,
            checked_at=self._clock(),
            trusted_at=known,
            **UNTRIED,
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
            await self.journal.move("installed", reason=None, detail=None, **UNTRIED)

    async def _fail(self, error: UpdateFailed) -> None:
        """Try again later what passes; end what does not, or did not pass often enough."""
        record = await self.journal.load()
        waiting = self._waiting(record, error)
        if REASONS[error.reason].passes and waiting["tries"] < MOST_TRIES:
            await self.journal.move("install_failed", **waiting)
            return
        ended = Ended("failed", error.reason, error.detail)
        values = {**waiting, **UNTRIED, "offer": None}
        await self.journal.move("refused", ended=ended, **values)

    def _waiting(self, record: UpdateRecord, error: UpdateFailed) -> dict[str, Any]:
        later = try_later(record.tries, self._clock())
        return {**later, "reason": error.reason, "detail": error.detail}

    def _begun(self, offer: Offer, origin: str) -> Begun:
        return Begun(str(offer.version), str(self.selection.installed), origin, offer.notes)


def _require_proven(slots: Slots) -> None:
    """Refuse while the gate still judges what runs, which nobody could come back to.

    The installer serves one at a time, so an installation would keep the gate from marking it.
    """
    if not slots.booted.bootable:
        raise failed("device_not_ready", f"{slots.booted.name} has not proven itself yet")
