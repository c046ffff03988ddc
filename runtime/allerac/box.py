"""The box itself: its name, where it is found, and how it is doing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from allerac.appliance.certificate import CertificateFolder
from allerac.appliance.identity import FactoryIdentity
from allerac.engine.protocol import Engine
from allerac.errors import AlleracError, NotFound
from allerac.hardware.choice import ProfileChoice
from allerac.hardware.machine import (
    Machine,
    disk_free_bytes,
    disk_total_bytes,
    memory_available_bytes,
    memory_used_bytes,
)
from allerac.storage.box import BoxRecord, BoxStore, clean_box_name, require_time_zone

LANGUAGES = ("en", "de")
READY_DISK_BYTES = 50_000_000
"""Below this a day's messages would not fit."""


@dataclass(frozen=True, slots=True)
class Place:
    """An address under which the box is found."""

    ip: str
    interface: str


@dataclass(frozen=True, slots=True)
class Nearby:
    """Another box on the network."""

    id: str
    name: str
    suffix: str
    state: str
    addresses: list[str]
    version: str
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class NetworkCheck:
    """Whether the box's names led to it when the network was last asked; `message` is English."""

    ok: bool
    reason: str
    message: str
    checked_at: datetime


class Presence(Protocol):
    """How the box is found on the network."""

    async def announce(self, record: BoxRecord) -> None:
        """Announce the box under the names that this record gives it."""

    def names(self) -> list[str]:
        """Return the names that answer now."""

    def conflict(self) -> str | None:
        """Return why a name is not ours, None when all are."""

    def check(self) -> NetworkCheck | None:
        """Return the last test of the names, None before the first and where none are announced."""

    def places(self) -> Sequence[Place]:
        """Return the box's addresses."""

    def nearby(self) -> Sequence[Nearby]:
        """Return other boxes seen."""

    def label_for(self, name: str) -> str:
        """Return the host label of a box's name: `Ana's Kitchen` → `anas-kitchen`."""


class BoxService:
    """What a person asks the box about itself."""

    def __init__(
        self,
        *,
        store: BoxStore,
        engine: Engine,
        presence: Presence,
        identity: FactoryIdentity,
        certificates: CertificateFolder,
        machine: Machine,
        choice: ProfileChoice,
        data_dir: Path,
        port: int,
        version: str,
    ) -> None:
        self._store = store
        self._engine = engine
        self._presence = presence
        self._identity = identity
        self._certificates = certificates
        self._machine = machine
        self._choice = choice
        self._data_dir = data_dir
        self._port = port
        self._version = version
        self._started_at = datetime.now(UTC)

    async def start(self) -> None:
        """Be who the factory says, and announce the box."""
        record = await self._store.load()
        given = {"device_id": self._identity.device_id, "suffix": self._identity.suffix}
        wanted = {key: value for key, value in given.items() if value is not None}
        if any(getattr(record, key) != value for key, value in wanted.items()):
            await self._store.change(wanted)
            record = await self._store.load()
        await self._presence.announce(record)

    async def status(self) -> dict[str, Any]:
        """Return all that a stranger learns."""
        record = await self._store.load()
        return {
            "claimed": record.claimed_at is not None,
            "name": record.name,
            "language": record.language,
            "languages": list(LANGUAGES),
        }

    def hardware(self) -> dict[str, Any]:
        """Return what machine this is and which profile it runs."""
        machine, profile = self._machine, self._choice.profile
        gigabytes = round(machine.memory_bytes / 2**30)
        return {
            "summary": f"{machine.cpu}, {machine.cores} cores, {gigabytes} GB",
            "cpu": machine.cpu,
            "cores_performance": machine.cores_performance,
            "cores_efficient": machine.cores_efficient,
            "threads": machine.threads,
            "memory_bytes": machine.memory_bytes,
            "memory_channels": machine.memory_channels,
            "flags": sorted(machine.flags),
            "profile": {
                "id": profile.id,
                "product": profile.product,
                "exact": self._choice.exact,
                "reason": self._choice.reason,
            },
        }

    async def facts(self) -> dict[str, Any]:
        """Return the box's name, addresses and state."""
        record = await self._store.load()
        return {
            "id": record.device_id,
            "serial": self._identity.serial,
            "name": record.name,
            "hostname": self._hostname(record),
            "names": self._presence.names(),
            "name_conflict": self._presence.conflict(),
            "network_check": self._presence.check(),
            "addresses": [
                {"ip": place.ip, "interface": place.interface, "url": self._url(place.ip)}
                for place in self._presence.places()
            ],
            "url": self.url(),
            "port": self._port,
            "certificate": await asyncio.to_thread(self._certificates.facts),
            "version": self._version,
            "time_zone": record.time_zone,
            "claimed_at": record.claimed_at,
            "started_at": self._started_at,
            "engine": self._engine.status(),
            "storage": {
                "total_bytes": disk_total_bytes(self._data_dir),
                "free_bytes": disk_free_bytes(self._data_dir),
            },
            "memory": {
                "total_bytes": self._machine.memory_bytes,
                "available_bytes": memory_available_bytes(),
                "runtime_bytes": memory_used_bytes(),
            },
        }

    def authority_file(self) -> Path:
        """Return what devices trust to know the box by HTTPS. Raises `NotFound`."""
        file = self._certificates.authority_file
        if not file.is_file():
            raise NotFound("This box has no certificate.", hint="Open it by http.")
        return file

    async def update(self, *, name: str | None, time_zone: str | None) -> None:
        """Rename the box or move it to another time zone; the network learns of a new name.

        Raises `InvalidInput`; then neither is changed.
        """
        changes = {}
        if name is not None:
            changes["name"] = clean_box_name(name)
        if time_zone is not None:
            changes["time_zone"] = require_time_zone(time_zone)
        if changes:
            await self._store.change(changes)
            await self._presence.announce(await self._store.load())

    async def choose_updates(self, *, automatic: bool | None, hour: int | None) -> None:
        """Say whether updates come by themselves, and at which hour; None leaves it as it is."""
        wishes = {"automatic_updates": automatic, "update_hour": hour}
        changes = {name: value for name, value in wishes.items() if value is not None}
        if changes:
            await self._store.change(changes)

    async def claimed(self) -> None:
        """Take the name that the wizard gave."""
        await self._presence.announce(await self._store.load())

    def hostname_for(self, name: str) -> str:
        """Return the name under which a box called `name` is found."""
        return f"{self._presence.label_for(name)}.local"

    def nearby(self) -> Sequence[Nearby]:
        """Return other boxes on the network."""
        return self._presence.nearby()

    def url(self) -> str:
        """Return the address to open on a phone: an IP address, which works where mDNS does not."""
        places = self._presence.places()
        return self._url(places[0].ip if places else "127.0.0.1")

    async def readiness(self) -> dict[str, bool]:
        """Tell for each part whether it can do its job."""
        database = True
        try:
            await self._store.load()
        except AlleracError:
            database = False
        return {
            "database": database,
            "engine": self._engine.status().state == "ready",
            "disk": disk_free_bytes(self._data_dir) >= READY_DISK_BYTES,
        }

    def _hostname(self, record: BoxRecord) -> str:
        return self.hostname_for(record.name if record.claimed_at else "allerac")

    def _url(self, host: str) -> str:
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}/" if self._port == 80 else f"http://{shown}:{self._port}/"
