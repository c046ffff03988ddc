"""The wing of the network: the announcer as the box sees it, silent where it may not speak."""

import asyncio

import structlog

from allerac import __version__
from allerac.box import Nearby, NetworkCheck, Place
from allerac.network.addresses import is_loopback, list_addresses
from allerac.network.announcer import Announcer
from allerac.network.hosts import suggest_host_label
from allerac.network.identity import BoxIdentity
from allerac.storage.box import BoxRecord

log = structlog.get_logger()


class NetworkPresence:
    """The announcer as the box sees it; switched off, or on loopback only, it is silent.

    `host` is where the runtime listens, None behind the box's proxy, which listens everywhere.
    """

    def __init__(self, *, port: int, host: str | None, announce: bool) -> None:
        heard = announce and not (host is not None and is_loopback(host))
        self._announcer = Announcer(port=port, host=host) if heard else None
        self._host = host
        self.identity: BoxIdentity | None = None
        self._joined = False
        self._joining: asyncio.Task[None] | None = None

    async def announce(self, record: BoxRecord) -> None:
        """Announce in the background: a network that is slow keeps nobody waiting."""
        self.identity = BoxIdentity(
            device_id=record.device_id,
            suffix=record.suffix,
            name=record.name,
            claimed=record.claimed_at is not None,
            version=__version__,
        )
        if self._announcer is not None:
            before = self._joining
            self._joining = asyncio.create_task(self._announce(self._announcer, before))

    async def stop(self) -> None:
        """Say goodbye."""
        if self._joining is not None:
            self._joining.cancel()
            await asyncio.gather(self._joining, return_exceptions=True)
        if self._announcer is not None:
            await self._announcer.stop()

    async def _announce(self, announcer: Announcer, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)
        identity = self.identity
        if identity is None:
            return
        try:
            if self._joined:
                await announcer.update(identity)
            else:
                await announcer.start(identity)
                self._joined = True
        except OSError as error:
            log.warning("not_announced", reason=str(error))

    def names(self) -> list[str]:
        """Return the names that answer now."""
        return self._announcer.names() if self._announcer is not None else []

    def host_names(self) -> list[str]:
        """Return the names under which requests are ours, announced or resolved otherwise."""
        identity = self.identity
        own = [f"{identity.label}.local", f"{identity.own_label}.local"] if identity else []
        return [*own, *self.names()]

    def conflict(self) -> str | None:
        """Return why a name is not ours."""
        return self._announcer.conflict if self._announcer is not None else None

    def check(self) -> NetworkCheck | None:
        """Return the last test of the names."""
        test = self._announcer.self_test if self._announcer is not None else None
        if test is None:
            return None
        return NetworkCheck(test.ok, test.reason, test.message, test.checked_at)

    def places(self) -> list[Place]:
        """Return the addresses that lead here."""
        return [Place(address.ip, address.interface) for address in list_addresses(self._host)]

    def nearby(self) -> list[Nearby]:
        """Return other boxes seen."""
        boxes = self._announcer.boxes() if self._announcer is not None else []
        return [
            Nearby(
                id=seen.id,
                name=seen.name,
                suffix=seen.suffix,
                state=seen.state,
                addresses=seen.addresses,
                version=seen.version,
                last_seen=seen.last_seen,
            )
            for seen in boxes
        ]

    def label_for(self, name: str) -> str:
        """Return the host label of a box's name."""
        return suggest_host_label(name)
