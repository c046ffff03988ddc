"""The database as it was before the switch to another version, until the next one has worked."""

import asyncio
from pathlib import Path

import structlog

from allerac.storage.updates import UpdateStore

from .version import Version

log = structlog.get_logger()


class Snapshots:
    """Files `<version>.sqlite`, named after the version that wrote them."""

    def __init__(self, folder: Path, store: UpdateStore) -> None:
        self._folder = folder
        self._store = store

    async def take(self, version: Version) -> None:
        """Copy the database. Raises `StorageUnavailable` when there is no room."""
        await self._store.snapshot(self._folder / f"{version}.sqlite")

    async def keep_newest(self) -> None:
        """Remove all but the last one."""
        try:
            await asyncio.to_thread(self._remove_older)
        except OSError as error:
            log.warning("snapshots_not_removed", reason=str(error))

    def _remove_older(self) -> None:
        files = sorted(self._folder.glob("*.sqlite*"), key=lambda path: path.stat().st_mtime_ns)
        for path in files[:-1]:
            path.unlink(missing_ok=True)
