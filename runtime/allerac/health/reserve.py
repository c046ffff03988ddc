"""Room that the box keeps back, so that a full disk never locks anybody out.

SQLite can make no log on a full disk, not even to delete something. A file of this size is given
up before that, and kept again once there is room.
"""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger()

SHARE: Final = 0.02
"""At most, of the disk: a gigabyte on all that we sell, little on the small disks of a test."""

LOW_SHARE, PLENTY_SHARE = 0.25, 3.0
"""Of the reserve: with less free it is given up, with more it is kept again."""


class Reserve:
    """The file `path`, of at most `largest_bytes`. Methods block; only the sizes may raise OSError.

    With `largest_bytes` 0 nothing is kept back.
    """

    def __init__(self, path: Path, largest_bytes: int) -> None:
        self._path = path
        self._largest_bytes = largest_bytes

    @property
    def size_bytes(self) -> int:
        """How much is kept back on this disk."""
        return min(self._largest_bytes, round(shutil.disk_usage(self._path.parent).total * SHARE))

    @property
    def is_wanted(self) -> bool:
        """Whether this box keeps a reserve at all."""
        return self._largest_bytes > 0

    @property
    def is_kept(self) -> bool:
        """Whether the room is there to be given up."""
        return self._path.exists()

    def is_needed(self) -> bool:
        """Tell whether the disk is so full that the reserve must go."""
        return self._free() < self.size_bytes * LOW_SHARE

    def is_affordable(self) -> bool:
        """Tell whether there is room to keep it."""
        return self._free() > self.size_bytes * PLENTY_SHARE

    def release(self) -> None:
        """Give the room up."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return
        except OSError as error:
            log.warning("reserve_not_released", reason=str(error))
            return
        log.warning("reserve_released")

    def keep(self) -> None:
        """Keep the room back, all of it or nothing."""
        scratch = self._path.with_suffix(".part")
        try:
            if self.is_kept or not self.size_bytes or not self.is_affordable():
                return
            with scratch.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self.size_bytes)
            scratch.replace(self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                scratch.unlink()
            log.warning("reserve_not_kept", reason=str(error))

    def prepare(self) -> None:
        """Before anything else starts: give it up on a full disk, else see that it is there."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.is_needed():
                self.release()
            else:
                self.keep()
        except OSError as error:
            log.warning("reserve_not_prepared", reason=str(error))

    def _free(self) -> int:
        return shutil.disk_usage(self._path.parent).free
