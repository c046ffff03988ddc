"""Other boxes on the network, as they announce themselves."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from zeroconf import ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo

ALLERAC = "_allerac._tcp.local."
RESOLVE_MILLISECONDS = 3000
MAX_BOXES = 64
"""A household has a few; whoever announces thousands shall not fill the memory."""


@dataclass(frozen=True, slots=True)
class SeenBox:
    """Another box on this network."""

    id: str
    name: str
    suffix: str
    state: str
    addresses: list[str]
    port: int
    version: str
    last_seen: datetime


class Neighbours:
    """Watches for boxes other than `own_id`; calls `on_change` when one came, changed or left."""

    def __init__(self, zeroconf: Zeroconf, own_id: str, on_change: Callable[[], None]) -> None:
        self._own_id = own_id
        self._on_change = on_change
        self._seen: dict[str, SeenBox] = {}
        self._resolving: set[asyncio.Task[None]] = set()
        self._browser = AsyncServiceBrowser(zeroconf, [ALLERAC], handlers=[self._heard])

    async def stop(self) -> None:
        """Watch no longer."""
        await self._browser.async_cancel()
        resolving = list(self._resolving)
        for task in resolving:
            task.cancel()
        await asyncio.gather(*resolving, return_exceptions=True)

    def boxes(self) -> list[SeenBox]:
        """Return the boxes that are there now, by name."""
        return sorted(self._seen.values(), key=lambda box: (box.name, box.suffix))

    def _heard(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            if self._seen.pop(name, None) is not None:
                self._on_change()
            return
        if len(self._resolving) < MAX_BOXES:
            task = asyncio.ensure_future(self._resolve(zeroconf, service_type, name))
            self._resolving.add(task)
            task.add_done_callback(self._resolving.discard)

    async def _resolve(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        service = AsyncServiceInfo(service_type, name)
        if not await service.async_request(zeroconf, RESOLVE_MILLISECONDS):
            return
        told = service.decoded_properties
        device_id = told.get("id")
        known = name in self._seen
        if not device_id or device_id == self._own_id or (not known and self._is_full()):
            return
        self._seen[name] = SeenBox(
            id=device_id,
            name=told.get("name") or "",
            suffix=told.get("suffix") or "",
            state=told.get("state") or "",
            addresses=service.parsed_addresses(),
            port=service.port or 0,
            version=told.get("version") or "",
            last_seen=datetime.now(UTC),
        )
        self._on_change()

    def _is_full(self) -> bool:
        return len(self._seen) >= MAX_BOXES
