"""The watched folder: what lies in it is in the library, what leaves it leaves the library too."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from allerac.errors import AlleracError
from allerac.storage.knowledge import FileRecord

log = structlog.get_logger()

LOOK_SECONDS: Final = 20.0
MAX_FILES: Final = 5_000

Seen = dict[str, tuple[int, int]]
"""Paths inside the folder with size in bytes and time of change in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Takers:
    """What to do with what has appeared, changed and gone; paths are inside the folder."""

    known: Callable[[], Awaitable[Mapping[str, FileRecord]]]
    take: Callable[[str, Path], Awaitable[None]]
    replace: Callable[[FileRecord, Path], Awaitable[None]]
    drop: Callable[[FileRecord], Awaitable[None]]


class WatchedFolder:
    """Looks every 20 s; a file is taken once it has stayed the same from one look to the next.

    A folder that is not there, such as a drive that was unplugged, is no reason to forget.
    """

    def __init__(self, folder: Path, takers: Takers, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._folder = folder
        self._takers = takers
        self._look_seconds = look_seconds
        self._before: Seen = {}
        self._done: Seen = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name="watched-folder")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Compare the folder with the library, once."""
        seen = await asyncio.to_thread(_seen, self._folder)
        if seen is None:
            return
        known = await self._takers.known()
        for name in sorted(seen.keys() & self._before.keys()):
            if seen[name] == self._before[name] != self._done.get(name):
                await self._take(name, known.get(name), seen)
        for name, file in known.items():
            if name not in seen:
                with suppress(AlleracError):
                    await self._takers.drop(file)
                self._done.pop(name, None)
        self._before = seen

    async def _take(self, name: str, file: FileRecord | None, seen: Seen) -> None:
        self._done[name] = seen[name]
        path = self._folder / name
        try:
            if file is None:
                await self._takers.take(name, path)
            else:
                await self._takers.replace(file, path)
        except AlleracError as error:
            log.info("watched_file_refused", reason=error.code)

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except AlleracError as error:
                log.warning("watched_folder_waits", reason=error.message)
            except Exception:  # the boundary of a background task
                log.exception("watched_folder_stumbled")
            await asyncio.sleep(self._look_seconds)


def _seen(folder: Path) -> Seen | None:
    """Return the ordinary files of `folder`, links and hidden ones left out; None without it."""
    if not folder.is_dir():
        return None
    seen: Seen = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts) or path.is_symlink():
            continue
        with suppress(OSError):
            facts = path.stat()
            if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                seen[str(inside)] = (facts.st_size, facts.st_mtime_ns)
        if len(seen) >= MAX_FILES:
            break
    return seen
