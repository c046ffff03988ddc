"""Downloads while the disk is short: paused, remembered, and gone on with when there is room."""

from collections.abc import Iterable, Sequence

import structlog

from allerac.errors import AlleracError, InsufficientDisk

from .service import ModelService

log = structlog.get_logger()


class HeldDownloads:
    """Which downloads wait for room; remembered through restarts."""

    def __init__(self, files: ModelService) -> None:
        self._files = files
        self._holds = False
        self._held: list[str] = []

    async def start(self) -> None:
        """Go on with what an earlier run of the runtime held."""
        await self._go_on(await self._files.held())

    async def hold(self, under_way: Iterable[str]) -> None:
        """Pause what is `under_way` and begin nothing: the disk is short."""
        if self._holds:
            return
        self._holds = True
        paused = list(under_way)
        self._held = list(dict.fromkeys([*self._held, *paused]))
        for model_id in paused:
            await self._files.pause(model_id)
        await self._files.note_held(self._held)

    async def release(self) -> None:
        """Go on with what was paused for want of room."""
        self._holds = False
        await self._go_on(self._held)

    def require_room(self) -> None:
        """Raise `InsufficientDisk` while downloads are held."""
        if self._holds:
            raise InsufficientDisk(
                "The disk is nearly full, so downloads wait.",
                needed_bytes=0,
                available_bytes=0,
            )

    async def _go_on(self, held: Sequence[str]) -> None:
        """Go on with these downloads; those for which there is no room yet are still held."""
        waiting = []
        for model_id in held:
            try:
                await self._files.resume(model_id)
            except InsufficientDisk:
                waiting.append(model_id)
            except AlleracError as error:
                log.info("held_download_given_up", model=model_id, reason=error.code)
        self._held = waiting
        if held:
            await self._files.note_held(waiting)
