"""Which updates there are: asked of the server in the background, and what it said last."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .listing import FetchLimits, Listing, Trust
from .offer import Offer

if TYPE_CHECKING:
    from .repository import Repository


class UpdateCatalogue:
    """Asks one server. `folder` is the box's memory of what it has trusted."""

    def __init__(
        self,
        *,
        url: str,
        folder: Path,
        trust: Trust,
        agent: str,
        limits: FetchLimits = FetchLimits(),  # noqa: B008 - frozen
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._url = url.rstrip("/")
        self._folder = folder
        self._trust = trust
        self._agent = agent
        self._limits = limits
        self._clock = clock

    async def refresh(self, known_at: datetime | None) -> Listing:
        """Ask the server; `known_at` is a time that had passed already. Raises `UpdateFailed`."""
        repository = await asyncio.to_thread(self._repository)
        now = max(self._clock(), self._trust.built_at, known_at or self._trust.built_at)
        work = asyncio.create_task(asyncio.to_thread(repository.refresh, now))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            repository.abort()
            await asyncio.gather(work, return_exceptions=True)
            raise

    async def known(self) -> tuple[Offer, ...]:
        """Return what the server offered when it was last believed; nothing when never."""
        return await asyncio.to_thread(self._known)

    def _known(self) -> tuple[Offer, ...]:
        if not (self._folder / "targets.json").exists():
            return ()
        return self._repository().known()

    def _repository(self) -> "Repository":
        # Here, and in a thread: the library of TUF is a thirtieth of all that a start would load,
        # and a box asks once a day.
        from .repository import Repository

        return Repository(
            url=self._url,
            folder=self._folder,
            trust=self._trust,
            agent=self._agent,
            limits=self._limits,
        )
