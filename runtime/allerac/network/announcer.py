"""The box on the network: its names and services by multicast DNS (RFC 6762, RFC 6763).

A box is always found as `allerac-<suffix>.local`. It also takes `allerac.local` while it is
nobody's, and its own name afterwards, unless another machine answers to that name: then it keeps
to the name with the suffix, says so, and asks again a minute later. It never argues.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from zeroconf import Error
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from .addresses import all_addresses, lasting, served_at, to_announce, to_speak_from
from .identity import BoxIdentity
from .links import LinkWatch
from .neighbours import ALLERAC, Neighbours, SeenBox
from .probe import who_answers
from .self_test import SelfTest, SelfTestLog

log = structlog.get_logger()

HTTP = "_http._tcp.local."
CHECK_SECONDS = 60.0
MIN_CHECK_SECONDS = 5.0
"""However much the neighbours change, the network is not asked more often than this."""

SETTLE_SECONDS = 1.0
"""A link that comes up brings its addresses one after the other; they are announced together."""

HOST_TTL_SECONDS = 120
"""RFC 6762, section 10: records that hold a host name live for two minutes."""


class Announcer:
    """Announces one box; `host` is where its server listens, None means everywhere."""

    def __init__(
        self,
        *,
        port: int,
        host: str | None = None,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self._port = port
        self._host = host
        self._check_seconds = check_seconds
        self._zeroconf: AsyncZeroconf | None = None
        self._neighbours: Neighbours | None = None
        self._checker: asyncio.Task[None] | None = None
        self._identity: BoxIdentity | None = None
        self._services: dict[str, AsyncServiceInfo] = {}
        self._speaking: list[str] = []
        self._announced: list[str] = []
        self._logged: tuple[object, ...] = ()
        self._links = LinkWatch(self._links_noticed)
        self._link_came_up = False
        self._links_changed = asyncio.Event()
        self._anything_changed = asyncio.Event()
        self._changing = asyncio.Lock()
        self._self_test = SelfTestLog()
        self.conflict: str | None = None

    @property
    def self_test(self) -> SelfTest | None:
        """Whether our names led to us when last asked; None before that."""
        return self._self_test.last

    async def start(self, identity: BoxIdentity) -> None:
        """Join the network and announce, or do so as soon as there is one."""
        self._identity = identity
        self._links.start()
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
        self._links.stop()
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
        """Open the network and announce; without an address there is nothing to open."""
        self._link_came_up = False
        self._speaking = self._speaking_now()
        if not self._speaking:
            return
        try:
            self._zeroconf = AsyncZeroconf(interfaces=self._speaking)
        except RuntimeError as error:  # zeroconf's word for an address that has just gone
            raise OSError(str(error)) from error
        await self._zeroconf.zeroconf.async_wait_for_start()
        self._neighbours = Neighbours(
            self._zeroconf.zeroconf, identity.device_id, self._anything_changed.set
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
        self._announced = self._announced_now()
        own = self._wanted(identity, identity.own_label, (HTTP, ALLERAC))
        liked = self._wanted(identity, identity.label, (HTTP,))
        await self._withdraw([name for name in self._services if name not in {**own, **liked}])
        await self._publish(own)
        if not liked.keys() & self._services.keys():
            others = await self._others_at(f"{identity.label}.local.")
            self._set_conflict(identity.label, others)
        if self.conflict is None:
            await self._publish(liked)
        self._log_change()

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
            parsed_addresses=self._announced,
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
        return addresses - announced - {address.ip for address in all_addresses()}

    def _set_conflict(self, label: str, others: set[str]) -> None:
        self.conflict = None
        if others:
            self.conflict = (
                f"Another machine ({min(others)}) on this network is called {label}.local."
            )

    def _log_change(self) -> None:
        now = (self.names(), self._announced, self.conflict)
        if now != self._logged:
            self._logged = now
            log.info("announced", names=now[0], addresses=now[1], conflict=now[2] is not None)

    def _links_noticed(self, came_up: bool) -> None:
        """Have the next check brought forward, unless everything is as it was."""
        self._link_came_up |= came_up
        if self._is_elsewhere() or self._announced != self._announced_now():
            self._links_changed.set()
            self._anything_changed.set()

    def _is_elsewhere(self) -> bool:
        """Whether the network is to be joined anew: others may be on it, or none heard us."""
        return self._link_came_up or self._speaking != self._speaking_now()

    async def _check_forever(self) -> None:
        pause = min(MIN_CHECK_SECONDS, self._check_seconds)
        await _happens(self._links_changed, pause)
        while True:
            if self._links_changed.is_set():
                await asyncio.sleep(SETTLE_SECONDS)
            self._anything_changed.clear()
            self._links_changed.clear()
            try:
                async with self._changing:
                    await self._check()
            except (OSError, Error) as error:
                self._self_test.failed(error, datetime.now(UTC))
            await self._rest(pause)

    async def _rest(self, pause: float) -> None:
        """Wait for the next check, which neighbours bring forward and our own links at once."""
        could_not_join = self._zeroconf is None and bool(self._speaking)
        if not await _happens(self._links_changed, pause) and not could_not_join:
            await _happens(self._anything_changed, self._check_seconds - pause)

    async def _check(self) -> None:
        """Test that our names lead to us, yield one that is another's, take one that is free."""
        if self._identity is None:
            return
        if self._zeroconf is None or self._is_elsewhere():
            await self._leave()
            await self._join(self._identity)
        elif self._announced != self._announced_now():
            await self._announce(self._identity)
        if self._zeroconf is None:
            self._self_test.no_address(datetime.now(UTC))
            return
        hosts = [f"{name}." for name in self.names()]
        answers = await who_answers(self._zeroconf.zeroconf, hosts)
        silent = [host for host in hosts if not answers[host] & set(self._announced)]
        self._self_test.answered(silent, datetime.now(UTC))
        if silent:
            await self._leave()
            await self._join(self._identity)
            return
        await self._settle(self._identity, answers)

    async def _settle(self, identity: BoxIdentity, answers: dict[str, set[str]]) -> None:
        """Decide on a name that two machines took at the same moment, and take a free one."""
        others = self._not_ours(answers.get(f"{identity.label}.local.", set()))
        if others and self._yields_to(others, identity):
            self._set_conflict(identity.label, others)
            liked = self._wanted(identity, identity.label, (HTTP,))
            await self._withdraw([name for name in liked if name in self._services])
            log.info("name_yielded", names=self.names())
            self._log_change()
        else:
            await self._announce(identity)

    def _yields_to(self, others: set[str], identity: BoxIdentity) -> bool:
        """Between boxes the smaller id keeps the name; to a machine that is no box we yield."""
        rivals = [box.id for box in self.boxes() if others & set(box.addresses)]
        return not rivals or min(rivals) < identity.device_id

    def _announced_now(self) -> list[str]:
        return to_announce(lasting(served_at(self._host)))

    def _speaking_now(self) -> list[str]:
        return to_speak_from(lasting(served_at(self._host)))


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    """Wait for `event`; tell whether it happened within `seconds`."""
    with contextlib.suppress(TimeoutError):
        return await asyncio.wait_for(event.wait(), max(0.0, seconds))
    return False
