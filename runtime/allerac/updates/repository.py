"""The metadata of the updates, by The Update Framework from a server that need not be trusted.

TUF specification 1.0, section 5 (https://theupdateframework.github.io/specification/). What was
trusted once is kept in a folder, so that a server cannot go back behind it.
"""

import contextlib
import errno
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath

import structlog
from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import Updater, UpdaterConfig

from allerac.errors import UpdateFailed

from .fetch import BoundedFetcher, CutError
from .listing import FetchLimits, Listing, Trust
from .offer import Offer
from .reasons import failed

log = structlog.get_logger()

LIMITS = UpdaterConfig(
    max_root_rotations=32,
    root_max_length=256 * 1024,
    timestamp_max_length=16 * 1024,
    snapshot_max_length=64 * 1024,
    targets_max_length=2 * 1024 * 1024,
)
"""A hundred releases with notes take less than half a megabyte."""

TIMESTAMP_LIFE = timedelta(days=7)
"""Timestamps are signed for a week, so one that ends then was not made before this long ago."""

DOUBTFUL = timedelta(days=366)
"""A list that ended longer ago than any signature holds: rather the clock is wrong."""

_MEANINGS: tuple[tuple[type[Exception], str], ...] = (
    (CutError, "answer_cut"),
    (exceptions.DownloadLengthMismatchError, "answer_too_long"),
    (exceptions.SlowRetrievalError, "server_slow"),
    (exceptions.DownloadHTTPError, "server_failed"),
    (exceptions.DownloadError, "server_unreachable"),
    (exceptions.ExpiredMetadataError, "catalogue_expired"),
    (exceptions.BadVersionNumberError, "catalogue_replayed"),
    (exceptions.LengthOrHashMismatchError, "catalogue_mixed"),
    (exceptions.UnsignedMetadataError, "catalogue_untrusted"),
    (exceptions.RepositoryError, "catalogue_damaged"),
)
"""The first that fits says what an error means."""


class Repository:
    """Reads one server, once; every method blocks. `folder` is the memory of what was trusted."""

    def __init__(
        self, *, url: str, folder: Path, trust: Trust, agent: str, limits: FetchLimits
    ) -> None:
        self._url = url
        self._folder = folder
        self._trust = trust
        self._fetcher = BoundedFetcher(limits, agent)

    def known(self) -> tuple[Offer, ...]:
        """Return what the server offered when it was last believed; nothing when never."""
        try:
            targets = Metadata[Targets].from_file(str(self._folder / "targets.json")).signed
        except (exceptions.RepositoryError, exceptions.StorageError):
            return ()
        return tuple(self._offers(targets.targets.values()))

    def refresh(self, now: datetime) -> Listing:
        """Ask the server. Raises `UpdateFailed`, also when another thread says `abort`."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _clear(self._folder)
            updater = Updater(
                str(self._folder),
                f"{self._url}/metadata/",
                fetcher=self._fetcher,
                config=LIMITS,
                bootstrap=self._root(),
            )
            # The library believes the clock; a box without a battery cannot.
            updater._trusted_set.reference_time = now
            updater.refresh()
            _write_through(self._folder)
        except (exceptions.RepositoryError, exceptions.DownloadError) as error:
            raise self._meaning_of(error, now) from error
        except OSError as error:
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            raise failed("disk_full" if full else "not_kept", str(error)) from error
        finally:
            self._fetcher.close()
        trusted = updater._trusted_set
        offers = tuple(self._offers(trusted.targets.targets.values()))
        return Listing(offers, trusted.timestamp.expires - TIMESTAMP_LIFE)

    def abort(self) -> None:
        """End what is being read, from any thread."""
        self._fetcher.abort()

    def _root(self) -> bytes:
        try:
            return self._trust.root_file.read_bytes()
        except OSError as error:
            raise failed("catalogue_untrusted", str(error)) from error

    def _offers(self, targets: Iterable[TargetFile]) -> Iterable[Offer]:
        for target in targets:
            try:
                yield Offer.of(
                    target.custom, source=self._address(target), size_bytes=target.length
                )
            except (KeyError, ValueError) as error:
                log.warning("update_offer_not_understood", path=target.path, reason=str(error))

    def _address(self, target: TargetFile) -> str:
        """Return where the bundle is: its hash is in its name (consistent snapshots)."""
        path = PurePosixPath(target.path)
        name = f"{target.hashes['sha256']}.{path.name}"
        return f"{self._url}/targets/{path.parent / name}"

    def _meaning_of(self, error: Exception, now: datetime) -> UpdateFailed:
        name = next(name for kind, name in _MEANINGS if isinstance(error, kind))
        if name == "catalogue_expired" and self._ended_long_before(now):
            name = "clock_doubtful"
        return failed(name, f"{type(error).__name__}: {error}")

    def _ended_long_before(self, now: datetime) -> bool:
        """Tell whether even the newest that is known ended longer ago than signatures hold."""
        ends = []
        for name, kind in (("root", Root), ("timestamp", Timestamp), ("snapshot", Snapshot)):
            with contextlib.suppress(exceptions.RepositoryError, exceptions.StorageError):
                signed = Metadata[kind].from_file(str(self._folder / f"{name}.json")).signed  # type: ignore[valid-type]
                ends.append(signed.expires)
        return bool(ends) and now - max(ends) > DOUBTFUL


def _clear(folder: Path) -> None:
    """Remove what a power cut left half written; the library names it like that."""
    for path in folder.glob("tmp*"):
        path.unlink(missing_ok=True)


def _write_through(folder: Path) -> None:
    """Put what was trusted on the disk: a power cut must not let a server go back behind it."""
    for path in (*folder.rglob("*.json"), folder / "root_history", folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
