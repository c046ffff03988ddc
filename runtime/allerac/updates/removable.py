"""Bundles on removable drives, which the system mounts below one folder."""

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from allerac.errors import NotFound

from .offer import CHANNELS, Offer, ThisBox, minimum_for
from .rauc import Bundle
from .reasons import failed
from .version import Version

MOST_FILES = 50


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file that may be a bundle; `name` is its path below the folder."""

    name: str
    size_bytes: int


class RemovableDrives:
    """Looks for `*.raucb` in the upper two levels of every drive."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def bundles(self) -> list[BundleFile]:
        """Return what is there, by name; a drive that is pulled out has nothing."""
        found = []
        for pattern in ("*/*.raucb", "*/*/*.raucb"):
            for path in self._folder.glob(pattern):
                size_bytes = _size(path)
                if size_bytes is not None:
                    found.append(BundleFile(str(path.relative_to(self._folder)), size_bytes))
        return sorted(found, key=lambda file: file.name)[:MOST_FILES]

    def path_of(self, name: str) -> Path:
        """Return the path of a file that `bundles` names. Raises `NotFound`."""
        if all(file.name != name for file in self.bundles()):
            raise NotFound("This file is not on a drive.", hint="Plug the drive in again.")
        return self._folder / name


def offer_of_file(path: Path, bundle: Bundle, known: Sequence[Offer], box: ThisBox) -> Offer:
    """Return a bundle on a drive as an offer; `known` is what the server offered last.

    Raises `UpdateFailed` for what this box may not take. RAUC has verified the signature.
    """
    if bundle.compatible != f"allerac-{box.tier}":
        raise failed("other_tier", bundle.compatible)
    try:
        version = Version.read(bundle.version)
    except ValueError as error:
        raise failed("bundle_unreadable", str(error)) from error
    if version <= box.installed:
        raise failed("not_newer", str(version))
    named = next((one for one in known if one.manifest_hash == bundle.manifest_hash), None)
    if named is not None and named.halted:
        raise failed("halted", str(version))
    minimum = minimum_for(version, (one for one in known if one.tier == box.tier))
    if minimum is not None and box.installed < minimum:
        raise failed("below_minimum", str(minimum))
    return Offer(
        tier=box.tier,
        version=version,
        channel=CHANNELS[0],
        percentage=100,
        halted=False,
        minimum_version=minimum or Version.read("0.0.0"),
        manifest_hash=bundle.manifest_hash,
        notes=named.notes if named else {},
        released_at=named.released_at if named else datetime.now(UTC),
        source=str(path),
        size_bytes=path.stat().st_size,
    )


def _size(path: Path) -> int | None:
    """Return the size of a regular file; links lead out of a drive, so they are none."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
