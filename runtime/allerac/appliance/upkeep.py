"""Keeps what surrounds the runtime in line with it: the certificate, and what the screen shows."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from .certificate import CertificateFolder
from .view import BoxView, write_view

log = structlog.get_logger()

LOOK_SECONDS: Final = 2.0
"""Addresses come and go without a word; this often they are asked for."""


class Upkeep:
    """Looks at the box every `look_seconds` and passes on what has changed."""

    def __init__(
        self,
        *,
        look: Callable[[], BoxView],
        certificates: CertificateFolder,
        view_file: Path,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._look = look
        self._certificates = certificates
        self._view_file = view_file
        self._clock = clock
        self._look_seconds = look_seconds
        self._task: asyncio.Task[None] | None = None
        self._written: BoxView | None = None
        self._certified: tuple[object, ...] | None = None
        self._complaint: str | None = None

    async def clear(self) -> None:
        """Take back what was told last, perhaps by a runtime that was killed."""
        with contextlib.suppress(OSError):
            await asyncio.to_thread(self._view_file.unlink)

    async def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Look no longer; the screen then says that Allerac is starting."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.clear()

    async def _run(self) -> None:
        while True:
            complaint = None
            try:
                await self._pass_on(self._look())
            except Exception as error:  # noqa: BLE001 - the boundary of a task that must go on
                complaint = f"{type(error).__name__}: {error}"
            if complaint is not None and complaint != self._complaint:
                log.warning("upkeep_failed", reason=complaint)
            self._complaint = complaint
            await asyncio.sleep(self._look_seconds)

    async def _pass_on(self, view: BoxView) -> None:
        if view != self._written:
            await asyncio.to_thread(write_view, self._view_file, view)
            self._written = view
        await self._certify(view)

    async def _certify(self, view: BoxView) -> None:
        """Renew for a new name or address, when it is time, and when the clock has jumped."""
        now = self._clock()
        occasion = (frozenset(view.names), frozenset(view.addresses), now.date(), now.hour)
        if occasion == self._certified:
            return
        names, addresses = view.names, view.addresses
        if await asyncio.to_thread(self._certificates.ensure, names, addresses, now):
            log.info("certificate_made", names=sorted(names))
        self._certified = occasion
