"""Bringing one bundle into the other boot slot: compared before it is written, and after."""

import asyncio
from collections.abc import Callable

import structlog

from allerac.errors import UpdateFailed

from .offer import Offer
from .progress import Meter, Progress
from .rauc import Bundle, Installer
from .reasons import failed
from .truth import holds

log = structlog.get_logger()

READY_SECONDS = 5.0
"""What streams a bundle is slow to come up the first time after a boot."""


class Installation:
    """One at a time; `progress` is where it is."""

    def __init__(self, installer: Installer, *, ready_seconds: float = READY_SECONDS) -> None:
        self._installer = installer
        self._ready_seconds = ready_seconds
        self._meter: Meter | None = None

    @property
    def progress(self) -> Progress | None:
        """How far it is; None while nothing is being installed."""
        return self._meter.progress() if self._meter is not None else None

    async def bring(self, offer: Offer, on_change: Callable[[], None]) -> None:
        """Install `offer`; it is whole in the other slot afterwards. Raises `UpdateFailed`."""
        self._meter = meter = Meter(offer.size_bytes)

        def on_progress(percent: int, what: str) -> None:
            log.debug("update_progress", percent=percent, what=what)
            meter.update(percent)
            on_change()

        try:
            await self._try_twice(offer, on_progress)
        finally:
            self._meter = None

    async def follow(self, offer: Offer, on_change: Callable[[], None]) -> None:
        """Wait for what an earlier run of the runtime began."""
        self._meter = meter = Meter(offer.size_bytes)

        def on_progress(percent: int, _: str) -> None:
            meter.update(percent)
            on_change()

        try:
            await self._installer.follow(on_progress)
            await self._require_in_slot(offer)
        finally:
            self._meter = None

    async def _try_twice(self, offer: Offer, on_progress: Callable[[int, str], None]) -> None:
        try:
            await self._try(offer, on_progress)
        except UpdateFailed as error:
            if error.reason != "device_not_ready":
                raise
            log.info("update_device_not_ready", detail=error.detail)
            await asyncio.sleep(self._ready_seconds)
            await self._try(offer, on_progress)

    async def _try(self, offer: Offer, on_progress: Callable[[int, str], None]) -> None:
        require_same(await self._installer.inspect(offer.source), offer)
        try:
            await self._installer.install(offer.source, on_progress)
        except UpdateFailed as error:
            if error.reason not in {"interrupted", "installer_unavailable"}:
                raise
            log.warning("update_end_unknown", reason=error.reason)
        await self._require_in_slot(offer)

    async def _require_in_slot(self, offer: Offer) -> None:
        """The source may have changed after it was compared: the slot is what counts."""
        slots = await self._installer.slots()
        if holds(slots.other, offer.kept()):
            return
        if slots.other.complete and slots.other.manifest_hash is not None:
            raise failed("bundle_differs", f"in the slot: {slots.other.manifest_hash}")
        raise failed("interrupted", "the slot is not complete")


def require_same(bundle: Bundle, offer: Offer) -> None:
    """Raise `UpdateFailed` unless the bundle is the one that was offered, for this tier."""
    if bundle.compatible != f"allerac-{offer.tier}":
        raise failed("other_tier", bundle.compatible)
    told = (bundle.version, bundle.manifest_hash)
    if told != (str(offer.version), offer.manifest_hash):
        raise failed("bundle_differs", f"{bundle.version} {bundle.manifest_hash}")
