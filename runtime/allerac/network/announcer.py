"""The box on the network: its names and services by multicast DNS (RFC 6762, RFC 6763).

A box is always found as `allerac-<suffix>.local`. It also takes `allerac.local` while it is
nobody's, and its own name afterwards, unless another machine answers to that name: then it keeps
to the name with the suffix, says so, and asks again a minute later. It never argues.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address

import structlog
from zeroconf import (
    AddressResolver,  # type: ignore[attr-defined]  # public, but missing in its __all__
    IPVersion,
    ServiceStateChange,
    Zeroconf,
)
from zeroconf.asyncio import (
    AsyncServiceBrowser,
    AsyncServiceInfo,
    AsyncZeroconf,
)

from .addresses import list_addresses
from .hosts import suggest_host_label

log = structlog.get_logger()

HTTP = "_http._tcp.local."
ALLERAC = "_allerac._tcp.local."
UNCLAIMED_LABEL = "allerac"
PROBE_MILLISECONDS = 800
"""RFC 6762, section 8.1: three probes 250 ms apart; whoever has the name answers within them."""

CHECK_SECONDS = 60.0
HOST_TTL_SECONDS = 120
"""RFC 6762, section 10: records that hold a host name live for two minutes."""


@dataclass(frozen=True, slots=True)
class BoxIdentity:
    """Who announces; `label` is the host label of the household's name for the box."""

    device_id: str
    suffix: str
    name: str
    claimed: bool
    version: str

    @property
    def label(self) -> str:
        """The host label that this box would like to have beside the one with the suffix."""
        return suggest_host_label(self.name) if self.claimed else UNCLAIMED_LABEL

    @property
    def own_label(self) -> str:
        """The host label that nobody else has."""
        return f"{UNCLAIMED_LABEL}-{self.suffix}"


@dataclass(frozen=True, slots=True)
class SeenBox:
    """Another box on this network."""

    id: str
    name: str
    suffix: str
    state: str
    addresses: list[str]
    version: str
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Whether our names resolve to us; `checked_at` is None before the first test."""

    ok: bool
    checked_at: datetime | None
    reason: str


class Announcer:
    """Announces one box; `interfaces` are addresses to speak on, None means all."""

    def __init__(
        self,
        *,
        port: int,
        interfaces: Sequence[str] | None = None,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self._port = port
        self._interfaces = interfaces
        self._check_seconds = check_seconds
        self._zeroconf: AsyncZeroconf | None = None
        self._browser: AsyncServiceBrowser | None = None
        self._checker: asyncio.Task[None] | None = None
        self._identity: BoxIdentity | None = None
        self._services: list[AsyncServiceInfo] = []
        self._seen: dict[str, SeenBox] = {}
        self._resolving: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()
        self.conflict: str | None = None
        self.self_test = SelfTest(False, None, "not tested yet")

    async def start(self, identity: BoxIdentity) -> None:
        """Join the network and announce. Raises `OSError` when there is no network to join."""
        interfaces = list(self._interfaces) if self._interfaces else _own_addresses(ipv4_only=True)
        self._zeroconf = AsyncZeroconf(
            interfaces=interfaces or ["127.0.0.1"], ip_version=IPVersion.V4Only
        )
        await self.update(identity)
        self._browser = AsyncServiceBrowser(
            self._zeroconf.zeroconf, [ALLERAC], handlers=[self._on_change]
        )
        self._checker = asyncio.create_task(self._check_forever())

    async def update(self, identity: BoxIdentity) -> None:
        """Announce a new name or state; names that are no longer ours are taken back first."""
        async with self._changing:
            self._identity = identity
            wanted = await self._wanted_labels(identity)
            await self._withdraw()
            await self._register(identity, wanted)

    async def stop(self) -> None:
        """Say goodbye."""
        if self._checker is not None:
            self._checker.cancel()
            await asyncio.gather(self._checker, return_exceptions=True)
        if self._browser is not None:
            await self._browser.async_cancel()
        for task in list(self._resolving):
            task.cancel()
        if self._zeroconf is not None:
            await self._withdraw()
            await self._zeroconf.async_close()
            self._zeroconf = None

    def names(self) -> list[str]:
        """Return the host names that are announced now."""
        hosts = [(service.server or "").rstrip(".") for service in self._services]
        return list(dict.fromkeys(host for host in hosts if host))

    def boxes(self) -> list[SeenBox]:
        """Return other boxes seen, by name."""
        return sorted(self._seen.values(), key=lambda box: (box.name, box.suffix))

    async def _wanted_labels(self, identity: BoxIdentity) -> list[str]:
        taken_by = await self._other_owner(identity.label)
        self.conflict = taken_by and (
            f"Another machine ({taken_by}) on this network is called {identity.label}.local."
        )
        labels = [] if taken_by else [identity.label]
        return [*labels, identity.own_label]

    async def _other_owner(self, label: str) -> str | None:
        """Return the address of another machine that answers to `label`, None when there is none.

        Our own addresses count as ours on whichever interface the answer comes in.
        """
        if self._zeroconf is None or f"{label}.local" in self.names():
            return None
        resolver = AddressResolver(f"{label}.local.")
        if not await resolver.async_request(self._zeroconf.zeroconf, PROBE_MILLISECONDS):
            return None
        own = set(_own_addresses()) | set(self._interfaces or ())
        others = [text for text in resolver.parsed_addresses() if text not in own]
        return others[0] if others else None

    async def _register(self, identity: BoxIdentity, labels: list[str]) -> None:
        if self._zeroconf is None:
            return
        for label in labels:
            for kind in (HTTP, ALLERAC) if label == labels[0] else (HTTP,):
                service = self._service(identity, label, kind)
                registered = await self._zeroconf.async_register_service(
                    service, allow_name_change=True
                )
                await registered
                self._services.append(service)
        log.info("announced", names=self.names(), conflict=self.conflict is not None)

    def _service(self, identity: BoxIdentity, label: str, kind: str) -> AsyncServiceInfo:
        instance = identity.own_label if kind == ALLERAC else label
        return AsyncServiceInfo(
            kind,
            f"{instance}.{kind}",
            addresses=[ip_address(text).packed for text in self._announced_addresses()],
            port=self._port,
            server=f"{label}.local.",
            host_ttl=HOST_TTL_SECONDS,
            properties={
                "id": identity.device_id,
                "version": identity.version,
                "state": "ready" if identity.claimed else "unclaimed",
                "path": "/",
                "name": identity.name,
                "suffix": identity.suffix,
            },
        )

    def _announced_addresses(self) -> list[str]:
        return list(self._interfaces) if self._interfaces else _own_addresses()

    async def _withdraw(self) -> None:
        services, self._services = self._services, []
        for service in services:
            if self._zeroconf is not None:
                goodbye = await self._zeroconf.async_unregister_service(service)
                await goodbye

    def _on_change(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            self._seen.pop(name, None)
            return
        task = asyncio.ensure_future(self._resolve(zeroconf, service_type, name))
        self._resolving.add(task)
        task.add_done_callback(self._resolving.discard)

    async def _resolve(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        service = AsyncServiceInfo(service_type, name)
        if not await service.async_request(zeroconf, 3000):
            return
        told = service.decoded_properties
        if self._identity is None or told.get("id") in {None, self._identity.device_id}:
            return
        self._seen[name] = SeenBox(
            id=told.get("id") or "",
            name=told.get("name") or "",
            suffix=told.get("suffix") or "",
            state=told.get("state") or "",
            addresses=service.parsed_addresses(),
            version=told.get("version") or "",
            last_seen=datetime.now(UTC),
        )

    async def _check_forever(self) -> None:
        while True:
            await asyncio.sleep(self._check_seconds)
            with contextlib.suppress(OSError):
                await self._check()

    async def _check(self) -> None:
        """Test that our names lead to us, and take a name that has become free."""
        if self._identity is None or self._zeroconf is None:
            return
        failing = [name for name in self.names() if not self._answers(name)]
        reason = f"{', '.join(failing)} does not lead here" if failing else "all names lead here"
        self.self_test = SelfTest(not failing, datetime.now(UTC), reason)
        announced = set(self._services[0].parsed_addresses()) if self._services else set()
        moved = announced != set(self._announced_addresses())
        if self.conflict is not None or moved:
            await self.update(self._identity)

    def _answers(self, name: str) -> bool:
        """Tell whether the records that answer for `name` are those of this machine's addresses."""
        own = set(self._announced_addresses())
        return any(
            service.server == f"{name}." and own.intersection(service.parsed_addresses())
            for service in self._services
        )


def _own_addresses(*, ipv4_only: bool = False) -> list[str]:
    return [a.ip for a in list_addresses() if not (ipv4_only and a.is_ipv6)]
