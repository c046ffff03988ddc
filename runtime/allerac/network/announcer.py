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
from zeroconf import Error, IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from .addresses import list_addresses
from .identity import BoxIdentity
from .neighbours import ALLERAC, Neighbours, SeenBox
from .probe import who_answers

log = structlog.get_logger()

HTTP = "_http._tcp.local."
CHECK_SECONDS = 60.0
MIN_CHECK_SECONDS = 5.0
"""However much the neighbours change, the network is not asked more often than this."""

LOOK_SECONDS = 1.0
"""How soon an address that came or went is noticed; a box may start before its network does."""

HOST_TTL_SECONDS = 120
"""RFC 6762, section 10: records that hold a host name live for two minutes."""


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
        self._neighbours: Neighbours | None = None
        self._checker: asyncio.Task[None] | None = None
        self._identity: BoxIdentity | None = None
        self._services: dict[str, AsyncServiceInfo] = {}
        self._joined: list[str] = []
        self._neighbours_changed = asyncio.Event()
        self._changing = asyncio.Lock()
        self.conflict: str | None = None
        self.self_test = SelfTest(False, None, "not tested yet")

    async def start(self, identity: BoxIdentity) -> None:
        """Join the network and announce, or do so as soon as there is one."""
        self._identity = identity
        try:
            async with self._changing:
                await self._join(identity)
        except (OSError, Error) as error:
            log.warning("network_not_joined", reason=str(error))
        self._checker = asyncio.create_task(self._check_forever())

    async def update(self, identity: BoxIdentity) -> None:
        """Announce a new name or state; names that are no longer ours are taken back first."""
        async with self._changing:
            self._identity = identity
            await self._announce(identity)

    async def stop(self) -> None:
        """Say goodbye."""
        if self._checker is not None:
            self._checker.cancel()
            await asyncio.gather(self._checker, return_exceptions=True)
        async with self._changing:
            await self._leave()

    def names(self) -> list[str]:
        """Return the host names that are announced now."""
        hosts = [(service.server or "").rstrip(".") for service in self._services.values()]
        return list(dict.fromkeys(reversed(hosts)))

    def boxes(self) -> list[SeenBox]:
        """Return other boxes seen, by name."""
        return self._neighbours.boxes() if self._neighbours is not None else []

    async def _join(self, identity: BoxIdentity) -> None:
        self._joined = self._speaking_addresses()
        if not self._joined:
            return
        self._zeroconf = AsyncZeroconf(interfaces=self._joined, ip_version=IPVersion.V4Only)
        await self._zeroconf.zeroconf.async_wait_for_start()
        self._neighbours = Neighbours(
            self._zeroconf.zeroconf, identity.device_id, self._neighbours_changed.set
        )
        await self._announce(identity)

    async def _leave(self) -> None:
        if self._neighbours is not None:
            await self._neighbours.stop()
            self._neighbours = None
        if self._zeroconf is not None:
            await self._zeroconf.async_close()
            self._zeroconf = None
        self._services.clear()

    async def _announce(self, identity: BoxIdentity) -> None:
        """Bring what is announced in line with `identity`; what stays is not said again."""
        if self._zeroconf is None:
            return
        own = self._wanted(identity, identity.own_label, (HTTP, ALLERAC))
        liked = self._wanted(identity, identity.label, (HTTP,))
        await self._withdraw([name for name in self._services if name not in {**own, **liked}])
        await self._publish(own)
        if not liked.keys() & self._services.keys():
            others = await self._others_at(f"{identity.label}.local.")
            self._set_conflict(identity.label, others)
        if self.conflict is None:
            await self._publish(liked)
        log.info("announced", names=self.names(), conflict=self.conflict is not None)

    def _wanted(
        self, identity: BoxIdentity, label: str, kinds: Sequence[str]
    ) -> dict[str, AsyncServiceInfo]:
        services = [self._service(identity, label, kind) for kind in kinds]
        return {service.name: service for service in services}

    def _service(self, identity: BoxIdentity, label: str, kind: str) -> AsyncServiceInfo:
        """Describe a service; the suffix in its name makes it one that no other box has."""
        own = label == identity.own_label
        instance = label if own else f"{label} ({identity.suffix})"
        return AsyncServiceInfo(
            kind,
            f"{instance}.{kind}",
            parsed_addresses=self._announced_addresses(),
            port=self._port,
            server=f"{label}.local.",
            host_ttl=HOST_TTL_SECONDS,
            properties={
                "id": identity.device_id,
                "version": identity.version,
                "state": identity.state,
                "path": "/",
                "name": identity.name,
                "suffix": identity.suffix,
            },
        )

    async def _publish(self, wanted: dict[str, AsyncServiceInfo]) -> None:
        if self._zeroconf is None:
            return
        sent = []
        for name, service in wanted.items():
            before = self._services.get(name)
            if before is None:
                sent.append(
                    await self._zeroconf.async_register_service(
                        service, cooperating_responders=True
                    )
                )
            elif (before.text, before.parsed_addresses()) != (
                service.text,
                service.parsed_addresses(),
            ):
                sent.append(await self._zeroconf.async_update_service(service))
            else:
                continue
            self._services[name] = service
        await asyncio.gather(*sent)

    async def _withdraw(self, names: Sequence[str]) -> None:
        if self._zeroconf is None:
            return
        gone = [self._services.pop(name) for name in names]
        await asyncio.gather(
            *[await self._zeroconf.async_unregister_service(service) for service in gone]
        )

    async def _others_at(self, host: str) -> set[str]:
        """Return addresses of other machines that answer to `host`."""
        if self._zeroconf is None:
            return set()
        answers = await who_answers(self._zeroconf.zeroconf, [host])
        return self._not_ours(answers[host.lower()])

    def _not_ours(self, addresses: set[str]) -> set[str]:
        """Leave out our own, of every interface: our answer may return through the other one."""
        announced = {ip for service in self._services.values() for ip in service.parsed_addresses()}
        return addresses - announced - {address.ip for address in list_addresses()}

    def _set_conflict(self, label: str, others: set[str]) -> None:
        self.conflict = None
        if others:
            self.conflict = (
                f"Another machine ({min(others)}) on this network is called {label}.local."
            )

    async def _check_forever(self) -> None:
        wait_seconds = min(MIN_CHECK_SECONDS, self._check_seconds)
        while True:
            if self._joined:  # the first address is taken at once
                await asyncio.sleep(wait_seconds)
            try:
                async with self._changing:
                    await self._check()
            except (OSError, Error) as error:
                log.warning("network_check_failed", reason=str(error))
            self._neighbours_changed.clear()
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(max(LOOK_SECONDS, self._check_seconds - wait_seconds)):
                    await self._change()

    async def _change(self) -> None:
        """Return when neighbours or our own addresses are others than at the last check."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._neighbours_changed.wait(), LOOK_SECONDS)
                return
            if self._joined != self._speaking_addresses():
                return

    async def _check(self) -> None:
        """Test that our names lead to us, yield one that is another's, take one that is free."""
        if self._identity is None:
            return
        if self._zeroconf is None or self._joined != self._speaking_addresses():
            await self._leave()
            await self._join(self._identity)
        if self._zeroconf is None:
            self.self_test = SelfTest(False, datetime.now(UTC), "this box has no network address")
            return
        hosts = [f"{name}." for name in self.names()]
        answers = await who_answers(self._zeroconf.zeroconf, hosts)
        silent = [host for host in hosts if not answers[host] & set(self._announced_addresses())]
        self._record_test(silent)
        if silent:
            await self._leave()
            await self._join(self._identity)
            return
        await self._settle(self._identity, answers)

    def _record_test(self, silent: list[str]) -> None:
        names = ", ".join(host.rstrip(".") for host in silent)
        reason = f"{names} does not lead here" if silent else "all names lead here"
        self.self_test = SelfTest(not silent, datetime.now(UTC), reason)
        if silent:
            log.warning("name_self_test_failed", names=names)

    async def _settle(self, identity: BoxIdentity, answers: dict[str, set[str]]) -> None:
        """Decide on a name that two machines took at the same moment, and take a free one."""
        others = self._not_ours(answers.get(f"{identity.label}.local.", set()))
        if others and self._yields_to(others, identity):
            self._set_conflict(identity.label, others)
            liked = self._wanted(identity, identity.label, (HTTP,))
            await self._withdraw([name for name in liked if name in self._services])
            log.info("name_yielded", names=self.names())
        else:
            await self._announce(identity)

    def _yields_to(self, others: set[str], identity: BoxIdentity) -> bool:
        """Between boxes the smaller id keeps the name; to a machine that is no box we yield."""
        rivals = [box.id for box in self.boxes() if others & set(box.addresses)]
        return not rivals or min(rivals) < identity.device_id

    def _announced_addresses(self) -> list[str]:
        present = [address.ip for address in list_addresses()]
        if self._interfaces is None:
            return present
        return [ip for ip in self._interfaces if ip in present or ip_address(ip).is_loopback]

    def _speaking_addresses(self) -> list[str]:
        """Return the addresses to speak from: IPv4, which every home network carries."""
        return [ip for ip in self._announced_addresses() if ip_address(ip).version == 4]
