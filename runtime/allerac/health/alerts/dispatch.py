"""When which alert goes out: once for an issue, again when it worsens, and when it is over.

The end is told once it has lasted: what comes back before that goes on as the issue that was told,
so that heat that comes and goes with every answer is one message and one end. In quiet hours only
what is critical goes out at once; the rest waits, and what is over by then is never told. Of what
waits there is one change for each issue, the last. What a channel does not take is tried again,
less and less often. What is still to be told is kept, so that a restart in between loses nothing
and repeats nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from allerac.errors import AlleracError
from allerac.health.check import SEVERITIES, Severity
from allerac.health.issues import Change, Key

from .outbox import EVERYBODY, NoOutbox, Outbox, Pending
from .settings import AlertSettings

log = structlog.get_logger()

PAUSES_SECONDS: Final = (60.0, 300.0, 900.0, 3600.0)
WAITING_CHANGES: Final = 50
LOOK_SECONDS: Final = 15.0
CALM_SECONDS: Final[Mapping[Severity, float]] = {
    "critical": 600.0,
    "warning": 3600.0,
    "notice": 3600.0,
}
"""How long an issue must be over before that is told, by the worst that it was. Who was told of
trouble waits for its end; nobody needs to know at once that a box has cooled down."""

Send = Callable[[Change], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    change: Change
    due: float


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
    _waiting: list[_Waiting] = field(default_factory=list)
    _told: dict[Key, Severity] = field(default_factory=dict)
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
                self._wait(pending.change)
            else:
                self._parcels.append(_Parcel(pending.change, pending.channel, pending.tries))

    async def hear(self, change: Change) -> None:
        """Take note of a change; nobody waits for its delivery."""
        least = _rank(self.settings().least)
        if _rank(change.issue.worst) < least:
            return
        if change.kind == "worse" and _rank(change.issue.before) < least:
            change = replace(change, kind="opened")  # nobody was told of what it was before
        self._hear(change, self._withdraw(change.issue.key))
        await self._keep()
        self._wake.set()

    def _hear(self, change: Change, before: Change | None) -> None:
        """Let what is to be told of an issue wait in place of `before`, if it is anything."""
        told = self._told.get(change.issue.key)
        if change.kind == "recovered":
            if before is None or before.kind != "opened":
                self._wait(change)
        elif before is not None and before.kind != "recovered":
            self._wait(replace(before, issue=change.issue))
        elif told is None:
            self._wait(change)
        elif _rank(change.issue.worst) > _rank(told):
            self._wait(replace(change, kind="worse"))

    def _withdraw(self, key: Key) -> Change | None:
        """Return what waits to be told of the same thing, which then waits no more."""
        found = next((one for one in self._waiting if one.change.issue.key == key), None)
        if found is None:
            return None
        self._waiting.remove(found)
        return found.change

    def _wait(self, change: Change) -> None:
        calm = 0.0
        if change.kind == "recovered":
            calm = CALM_SECONDS[change.issue.worst]
            self._told.setdefault(change.issue.key, change.issue.worst)
        self._waiting.append(_Waiting(change, self.steady() + calm))
        self._waiting = self._waiting[-WAITING_CHANGES:]

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
            waiting = [Pending(waiting.change) for waiting in self._waiting]
            parcels = [Pending(one.change, one.channel, one.tries) for one in self._parcels]
            await self.outbox.keep([*parcels, *waiting])

    def _pack(self) -> bool:
        """Address what may go out now; tells whether there was anything."""
        quiet, now = self.is_quiet(), self.steady()
        ready = [
            waiting
            for waiting in self._waiting
            if waiting.due <= now and (not quiet or waiting.change.issue.worst == "critical")
        ]
        self._waiting = [waiting for waiting in self._waiting if waiting not in ready]
        for change in [waiting.change for waiting in ready]:
            channels = self.channels()
            self._note(change, told=bool(channels))
            self._parcels += [_Parcel(change, channel) for channel in channels]
        self._parcels = self._parcels[-WAITING_CHANGES:]
        return bool(ready)

    def _note(self, change: Change, *, told: bool) -> None:
        """Remember how bad an issue was told to be, until its end is."""
        if change.kind == "recovered":
            self._told.pop(change.issue.key, None)
        elif told:
            self._told[change.issue.key] = change.issue.worst

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


def _rank(severity: Severity) -> int:
    return SEVERITIES.index(severity)
