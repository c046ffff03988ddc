"""The drives of a station: which there are, and whether the system needs one of them."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from allerac_image.errors import ImageError

from .disk import BlockDisk, Disk

COLUMNS = "NAME,PATH,SIZE,SERIAL,MODEL,MOUNTPOINTS,TYPE,TRAN,RO,LOG-SEC"
SYSTEM_PLACES = ("/", "/boot", "/boot/efi", "/efi", "/usr", "/var", "[SWAP]")
DISK_TYPES = {"disk", "loop"}
IN_USE_TYPES = {"crypt", "lvm", "mpath", "dm"}
"""Types of lsblk(8) that stand on a drive; RAID levels begin with `raid` or `md`."""


@dataclass(frozen=True, slots=True)
class Drive:
    """One drive as the station sees it; `held_by` names what stands on it, `port` is its path in
    `/dev/disk/by-path`.
    """

    path: Path
    size_bytes: int
    sector_bytes: int
    serial: str = ""
    model: str = ""
    port: str = ""
    mounted: tuple[str, ...] = ()
    held_by: tuple[str, ...] = ()
    read_only: bool = False

    @property
    def is_system(self) -> bool:
        """Whether this machine runs from it."""
        return any(place in SYSTEM_PLACES for place in self.mounted)


class Drives(Protocol):
    """Where drives are found and opened: a machine's, or files that stand in for them."""

    def find(self) -> Sequence[Drive]:
        """Return every drive there is now."""

    def open(self, drive: Drive) -> Disk:
        """Open a drive to write it. Raises OSError, also when somebody else has it."""


class SystemDrives:
    """The drives of this machine."""

    def __init__(self, by_path: Path = Path("/dev/disk/by-path")) -> None:
        self._by_path = by_path

    def find(self) -> list[Drive]:
        """Ask lsblk(8). Raises `ImageError` when it does not answer."""
        command = ["lsblk", "--json", "--bytes", "--output", COLUMNS]
        try:
            said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        except (OSError, subprocess.SubprocessError) as error:
            raise ImageError(f"lsblk does not tell which drives there are: {error}") from error
        ports = {link.resolve(): link.name for link in _links(self._by_path)}
        return list(drives_of(json.loads(said.stdout), ports))

    def open(self, drive: Drive) -> BlockDisk:
        """Open it for nobody else: the kernel refuses when it is mounted or held (open(2))."""
        return BlockDisk(drive.path, drive.size_bytes)


def drives_of(said: Mapping[str, Any], ports: Mapping[Path, str]) -> Iterator[Drive]:
    """Yield the drives in what `lsblk --json` said; empty card readers are left out."""
    for device in said["blockdevices"]:
        if device["type"] in DISK_TYPES and device["size"]:
            path = Path(device["path"])
            yield Drive(
                path=path,
                size_bytes=int(device["size"]),
                sector_bytes=int(device["log-sec"]),
                serial=(device["serial"] or "").strip(),
                model=(device["model"] or "").strip(),
                port=ports.get(path.resolve(), ""),
                mounted=tuple(_mounted(device)),
                held_by=tuple(_holders(device)),
                read_only=bool(device["ro"]),
            )


def _mounted(device: Mapping[str, Any]) -> Iterator[str]:
    yield from (place for place in device["mountpoints"] if place)
    for child in device.get("children", ()):
        yield from _mounted(child)


def _holders(device: Mapping[str, Any]) -> Iterator[str]:
    for child in device.get("children", ()):
        kind = child["type"]
        if kind in IN_USE_TYPES or kind.startswith(("raid", "md")):
            yield child["name"]
        yield from _holders(child)


def _links(folder: Path) -> Iterator[Path]:
    """Yield the links to whole drives."""
    if folder.is_dir():
        yield from (link for link in sorted(folder.iterdir()) if "-part" not in link.name)
