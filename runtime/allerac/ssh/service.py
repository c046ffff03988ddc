"""Opening SSH for some hours and closing it, with a record of both."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from allerac.appliance.ssh_door import SshDoor
from allerac.background import BackgroundTask
from allerac.errors import AlleracError, Conflict, Unavailable
from allerac.storage.ssh import Act, SshActor, SshEvent, SshKeyRecord, SshStore

from .keys import fingerprint, read_key

log = structlog.get_logger()

ACCOUNT: Final = "helper"
"""The one user who can sign in; provisioning/roles/ssh."""

HOURS: Final = (1, 8, 24)
EVENTS_SHOWN: Final = 20
IDLE_SECONDS: Final = 3600.0
AGAIN_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class SshStatus:
    """All that the owner sees; `host_key` is the fingerprint that a device shows at first.

    On a machine whose SSH is its owner's, `supported` is False.
    """

    supported: bool
    account: str
    open_until: datetime | None
    host_key: str | None
    keys: Sequence[SshKeyRecord]
    events: Sequence[SshEvent]


class SshService:
    """One opening at a time. Its end comes by itself; here it is only seen and recorded."""

    def __init__(
        self,
        store: SshStore,
        door: SshDoor | None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._door = door
        self._clock = clock
        self._lock = asyncio.Lock()
        self._watch = BackgroundTask(self._watch_the_time, name="ssh-time")

    async def start(self) -> None:
        """Find out what became of the last opening, and watch the time of one that goes on."""
        if self._door is not None:
            self._watch.start()

    async def stop(self) -> None:
        """Watch no longer; what is open stays so and ends by itself."""
        await self._watch.stop()

    def open_until(self) -> datetime | None:
        """Return when it closes by itself, None where it is closed."""
        left = None if self._door is None else self._door.seconds_left()
        return None if left is None else self._clock() + timedelta(seconds=left)

    async def status(self) -> SshStatus:
        """Return how it is, who is let in, and what was done."""
        key = None if self._door is None else await asyncio.to_thread(self._door.host_key)
        return SshStatus(
            supported=self._door is not None,
            account=ACCOUNT,
            open_until=self.open_until(),
            host_key=None if key is None else fingerprint(key),
            keys=await self._store.keys(),
            events=await self._store.events(EVENTS_SHOWN),
        )

    async def add_key(self, text: str, actor: SshActor) -> SshKeyRecord:
        """Keep a public key, whose owner is let in from now on while SSH is open.

        Raises `InvalidInput`, `Conflict`.
        """
        door, key = self._require_door(), read_key(text)
        async with self._lock:
            added = await self._store.add_key(key, actor)
            if door.seconds_left() is not None:
                await self._admit(door)
        return added

    async def remove_key(self, key_id: str, actor: SshActor) -> None:
        """Forget a key; an opening ends with it, and so does what its owner is doing.

        Raises `NotFound`, `Unavailable`.
        """
        door = self._require_door()
        async with self._lock:
            await self._store.remove_key(key_id, actor)
            if door.seconds_left() is not None:
                await self._close(door, "closed", actor)

    async def open(self, hours: int, actor: SshActor) -> SshStatus:
        """Open it. Raises `Conflict`, `Unavailable`."""
        door = self._require_door()
        async with self._lock:
            if door.seconds_left() is not None:
                raise Conflict("SSH is open already.", hint="Close it, then open it for longer.")
            keys = await self._store.keys()
            if not keys:
                raise Conflict("Nobody could sign in.", hint="Add a public key first.")
            await self._store.record("opened", actor, f"{hours} h")
            try:
                await door.open([key.line for key in keys], hours * 3600)
            except Unavailable:
                await self._store.record("not_opened", None)
                raise
            log.warning("ssh_opened", hours=hours, keys=len(keys))
            self._watch.wake()
        return await self.status()

    async def close(self, actor: SshActor) -> SshStatus:
        """Close it and end what is going on there. Raises `Unavailable`."""
        door = self._require_door()
        async with self._lock:
            if door.is_wished():
                await self._close(door, "closed", actor)
        return await self.status()

    def _require_door(self) -> SshDoor:
        if self._door is None:
            raise Conflict(
                "SSH of this machine is not Allerac's to open.",
                hint="Ask whoever looks after the machine.",
            )
        return self._door

    async def _admit(self, door: SshDoor) -> None:
        try:
            await door.admit([key.line for key in await self._store.keys()])
        except OSError as error:
            raise Unavailable(
                "The key is kept, but not let in yet.", hint="Close SSH and open it again."
            ) from error

    async def _close(self, door: SshDoor, act: Act, actor: SshActor | None) -> None:
        await door.close()
        await self._store.record(act, actor)
        log.warning("ssh_closed", act=act)
        self._watch.wake()

    async def _watch_the_time(self) -> None:
        """Record each end, for ever: the boundary of a task that must go on."""
        while True:
            wait_seconds = AGAIN_SECONDS
            try:
                wait_seconds = await self._look()
            except AlleracError as error:
                log.warning("ssh_not_watched", reason=error.message)
            except Exception:
                log.exception("ssh_not_watched_unexpectedly")
            await self._watch.wait(wait_seconds)

    async def _look(self) -> float:
        """Record an end that nobody asked for; return how long to wait for the next look."""
        door = self._require_door()
        async with self._lock:
            left = door.seconds_left()
            if left is not None:
                return left
            if door.is_wished():
                ended: Act = "closed_by_time" if door.has_ended() else "closed_by_restart"
                await self._close(door, ended, None)
            elif await self._store.was_left_open() is not None:
                await self._store.record("closed_by_restart", None)
        return IDLE_SECONDS
