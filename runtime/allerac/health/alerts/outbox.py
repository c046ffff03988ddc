"""Alerts that are still to be told, kept so that a restart at night forgets none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from allerac.errors import StorageUnavailable
from allerac.health.check import Check
from allerac.health.issues import Change, Kind
from allerac.health.kept import issue_of, row_of
from allerac.storage.device_history import DeviceHistory, StoredAlert
from allerac.storage.threads import finish_in_thread

log = structlog.get_logger()

EVERYBODY: Final = ""
"""The channel of a change that waits to be packed for each of them."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that `channel` has not taken in `tries` tries."""

    change: Change
    channel: str = EVERYBODY
    tries: int = 0


class Outbox(Protocol):
    """Where what is still to be told survives a restart."""

    async def keep(self, pending: Sequence[Pending]) -> None:
        """Keep these in place of those before; never raises."""

    async def recall(self) -> list[Pending]:
        """Return what was kept; never raises."""


class NoOutbox:
    """Forgets with the process."""

    async def keep(self, pending: Sequence[Pending]) -> None:
        """Keep nothing."""

    async def recall(self) -> list[Pending]:
        """There is nothing."""
        return []


@dataclass(frozen=True, slots=True)
class DiaryOutbox:
    """In the device's diary. Where that cannot be written, the process alone remembers."""

    diary: DeviceHistory
    checks: Sequence[Check]

    async def keep(self, pending: Sequence[Pending]) -> None:
        """See `Outbox.keep`."""
        rows = [
            StoredAlert(one.change.kind, one.channel, one.tries, row_of(one.change.issue))
            for one in pending
        ]
        try:
            await finish_in_thread(lambda: self.diary.keep_alerts(rows))
        except StorageUnavailable as error:
            log.warning("alerts_not_kept", reason=error.message)

    async def recall(self) -> list[Pending]:
        """See `Outbox.recall`; those of checks that are gone are left out."""
        try:
            rows = await finish_in_thread(self.diary.alerts)
        except StorageUnavailable as error:
            log.warning("alerts_not_recalled", reason=error.message)
            return []
        return [pending for row in rows if (pending := self._pending(row)) is not None]

    def _pending(self, row: StoredAlert) -> Pending | None:
        issue = issue_of(row.issue, self.checks)
        if issue is None:
            return None
        kind: Kind = row.kind  # type: ignore[assignment]  # written by us
        return Pending(Change(kind, issue), row.channel, row.tries)
