"""When which alert goes out: once for an issue, again when it worsens, and when it is over.

In quiet hours only what is critical goes out at once; the rest waits, and what is over by then is
never told. What a channel does not take is tried again, less and less often. What is still to be
told is kept, so that a restart in between loses nothing and repeats nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from allerac.errors import AlleracError
from allerac.health.check import SEVERITIES
from allerac.health.issues import Change

from .outbox import EVERYBODY, NoOutbox, Outbox, Pending
from .settings import AlertSettings

log = structlog.get_logger()

PAUSES_SECONDS: Final = (60.0, 300.0, 900.0, 3600.0)
WAITING_CHANGES: Final = 50
LOOK_SECONDS: Final = 15.0

Send = Callable[[Change], Awaitable[None]]


@dataclass(slots=True)
class _Parcel:
    change: Change
    channel: str
    tries: int = 0
    due: float = 0.0


@dataclass(slots=True)
class AlertDispatcher:
    """`channels` are those that are switched on; `is_quiet` asks the clock of the household."""

    settings: Callable[[], AlertSettings]
    channels: Callable[[], Mapping[str, Send]]
    is_quiet: Callable[[], bool]
    outbox: Outbox = field(default_factory=NoOutbox)
    steady: Callable[[], float] = time.monotonic
    look_seconds: float = LOOK_SECONDS
    problems: dict[str, str] = field(default_factory=dict)
    _waiting: list[Change] = field(default_factory=list)
    _parcels: list[_Parcel] = field(default_factory=list)
    _keeping: asyncio.Lock = field(default_factory=asyncio.Lock)
    _task: asyncio.Task[None] | None = None
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Send no more; what is still to be told is kept."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def recall(self) -> None:
        """Take over what was still to be told; each channel is tried again at once."""
        for pending in await self.outbox.recall():
            if pending.channel == EVERYBODY:
                self._waiting.append(pending.change)
            else:
                self._parcels.append(_Parcel(pending.change, pending.channel, pending.tries))

    async def hear(self, change: Change) -> None:
        """Take note of a change; nobody waits for its delivery."""
        if change.issue.rank < SEVERITIES.index(self.settings().least):
            return
        if change.kind == "recovered":
            told = len(self._waiting)
            self._waiting = [c for c in self._waiting if c.issue.id != change.issue.id]
            if len(self._waiting) < told:
                await self._keep()
                return
        self._waiting = [*self._waiting, change][-WAITING_CHANGES:]
        await self._keep()
        self._wake.set()

    async def deliver(self) -> None:
        """Send what is due."""
        if self._pack():
            await self._keep()
        now = self.steady()
        for parcel in [parcel for parcel in self._parcels if parcel.due <= now]:
            await self._try(parcel, now)
            await self._keep()

    async def _try(self, parcel: _Parcel, now: float) -> None:
        send = self.channels().get(parcel.channel)
        if send is None or await self._send(parcel, send):
            self._parcels.remove(parcel)
            return
        parcel.due = now + PAUSES_SECONDS[parcel.tries]
        parcel.tries += 1
        if parcel.tries == len(PAUSES_SECONDS):
            self._parcels.remove(parcel)

    async def _keep(self) -> None:
        async with self._keeping:
            waiting = [Pending(change) for change in self._waiting]
            parcels = [Pending(one.change, one.channel, one.tries) for one in self._parcels]
            await self.outbox.keep([*parcels, *waiting])

    def _pack(self) -> bool:
        """Address what may go out now; tells whether there was anything."""
        quiet = self.is_quiet()
        ready = [c for c in self._waiting if not quiet or c.issue.finding.severity == "critical"]
        self._waiting = [change for change in self._waiting if change not in ready]
        for change in ready:
            self._parcels += [_Parcel(change, channel) for channel in self.channels()]
        self._parcels = self._parcels[-WAITING_CHANGES:]
        return bool(ready)

    async def _send(self, parcel: _Parcel, send: Send) -> bool:
        try:
            await send(parcel.change)
        except AlleracError as error:
            self.problems[parcel.channel] = f"{error.message} {error.hint}"
            log.warning("alert_not_sent", channel=parcel.channel, reason=error.message)
            return False
        self.problems.pop(parcel.channel, None)
        log.info("alert_sent", channel=parcel.channel, code=parcel.change.issue.check.code)
        return True

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.deliver()
            except Exception:  # the boundary of a task that must go on
                log.exception("alerts_not_delivered")
            try:
                async with asyncio.timeout(self.look_seconds):
                    await self._wake.wait()
            except TimeoutError:
                continue
