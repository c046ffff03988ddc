"""Files that stand in for drives: for practice without hardware, and for the factory's twin.

Each `NAME.img` in a folder is a drive with the serial NAME, plugged into the port `practice-NAME`.
What `NAME.yaml` beside it says is different: `serial`, `port`, `sector_bytes`, `mounted`,
`held_by`, `read_only`, and `faults`.
"""

import errno
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from allerac.yaml_files import read_yaml
from allerac_image.errors import BadInput

from .disk import BlockDisk, Disk
from .drives import Drive


class Faults(BaseModel):
    """How a drive is broken. Offsets and sizes are bytes.

    `pulled_after` that much was written, nothing answers any more; a write that touches the block
    at `bad_block` fails; the byte at `lies_at` is read back wrong.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pulled_after: int | None = None
    bad_block: int | None = None
    lies_at: int | None = None


class Appearance(BaseModel):
    """What a drive says of itself when it is not what its file's name says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    serial: str | None = None
    port: str | None = None
    sector_bytes: Literal[512, 4096] = 512
    mounted: tuple[str, ...] = ()
    held_by: tuple[str, ...] = ()
    read_only: bool = False
    faults: Faults = Faults()


class PracticeDrives:
    """The files in `folder`."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise BadInput(f"There is no folder of practice drives at {folder}.")
        self._folder = folder

    def find(self) -> Sequence[Drive]:
        """Return a drive for each file, by name."""
        return [self._drive(path) for path in sorted(self._folder.glob("*.img"))]

    def open(self, drive: Drive) -> Disk:
        """Open the file; it fails as its appearance says."""
        faults = self._appearance(drive.path).faults
        disk = FileDisk(drive.path, drive.size_bytes)
        return disk if faults == Faults() else FaultyDisk(disk, faults)

    def _drive(self, path: Path) -> Drive:
        looks = self._appearance(path)
        return Drive(
            path=path.resolve(),
            size_bytes=path.stat().st_size // looks.sector_bytes * looks.sector_bytes,
            sector_bytes=looks.sector_bytes,
            serial=path.stem if looks.serial is None else looks.serial,
            model="practice",
            port=looks.port or f"practice-{path.stem}",
            mounted=looks.mounted,
            held_by=looks.held_by,
            read_only=looks.read_only,
        )

    def _appearance(self, path: Path) -> Appearance:
        told = path.with_suffix(".yaml")
        fields: Any = read_yaml(told) if told.is_file() else {}
        try:
            return Appearance.model_validate(fields)
        except ValidationError as error:
            raise BadInput(f"{told} is not right: {error}") from error


class FileDisk(BlockDisk):
    """A file, written like a drive."""

    flags = os.O_RDWR | os.O_DIRECT | os.O_CLOEXEC

    def discard(self) -> None:
        """Make a hole of all of it; a kill meanwhile leaves its size, as it does a drive's."""
        area = ["--punch-hole", "--offset", "0", "--length", str(self.size_bytes)]
        subprocess.run(["fallocate", *area, str(self.path)], check=True)  # noqa: S607 - util-linux

    def zero(self, offset: int, size: int) -> None:
        """Do nothing: what was discarded reads as zeros, which a drive does not promise."""


class FaultyDisk:
    """A drive that fails where `faults` says."""

    def __init__(self, disk: Disk, faults: Faults) -> None:
        self.path = disk.path
        self.size_bytes = disk.size_bytes
        self._disk = disk
        self._faults = faults
        self._written = 0

    def write(self, offset: int, content: memoryview) -> None:
        """Write, or fail."""
        self._answer()
        bad = self._faults.bad_block
        if bad is not None and offset <= bad < offset + len(content):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(self.path))
        self._disk.write(offset, content)
        self._written += len(content)

    def read(self, offset: int, into: memoryview) -> None:
        """Read, or fail, or give a wrong byte."""
        self._answer()
        self._disk.read(offset, into)
        lie = self._faults.lies_at
        if lie is not None and offset <= lie < offset + len(into):
            into[lie - offset] ^= 0xFF

    def discard(self) -> None:
        """Forget everything."""
        self._disk.discard()

    def zero(self, offset: int, size: int) -> None:
        """Zero a range, if there is still a drive."""
        self._answer()
        self._disk.zero(offset, size)

    def flush(self) -> None:
        """Flush, if there is still a drive."""
        self._answer()
        self._disk.flush()

    def close(self) -> None:
        """Let go of it."""
        self._disk.close()

    def _answer(self) -> None:
        after = self._faults.pulled_after
        if after is not None and self._written >= after:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), str(self.path))
