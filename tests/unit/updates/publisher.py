"""A repository as the release tool makes it, of bundles that nobody fetches."""

import hashlib
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, Root, TargetFile

from allerac_release.keys import KeyFolders
from allerac_release.passphrases import Passphrases
from allerac_release.repository import Repository, utc_now

TIER = "vm"


def hash_of(version: str) -> str:
    """Return what RAUC would report as the manifest hash of a version."""
    return hashlib.sha256(f"manifest {version}".encode()).hexdigest()


class Publisher:
    """Offers versions; `age` moves its clock into the past."""

    def __init__(self, folder: Path, keys: Path) -> None:
        self.folder = folder
        self.age = timedelta(0)
        self.root_file = keys / "trust" / "root.json"
        self._keys = KeyFolders([keys], Passphrases())
        self._repository = Repository(folder, self._now)
        self._targets: dict[str, TargetFile] = {}

    def offer(self, version: str, **fields: Any) -> None:
        """Publish a version, or change what is said about it."""
        custom: dict[str, Any] = {
            "tier": TIER,
            "version": version,
            "channel": "stable",
            "percentage": 100,
            "halted": False,
            "minimum_version": "0.0.0",
            "manifest_hash": hash_of(version),
            "notes": {"en": "Better.", "de": "Besser."},
            "released_at": f"{self._now():%Y-%m-%dT%H:%M:%SZ}",
            **fields,
        }
        tier = custom["tier"]
        path = f"{tier}/{version}/allerac-{tier}-{version}.raucb"
        hashes = {"sha256": hashlib.sha256(path.encode()).hexdigest()}
        self._targets[path] = TargetFile(1_000_000, hashes, path, {"custom": custom})
        self._write(dict(self._targets))

    def refresh(self) -> None:
        """Sign snapshot and timestamp anew."""
        self._write(None)

    def kept(self, folder: Path) -> Path:
        """Return a copy of what the server has at this moment."""
        return Path(shutil.copytree(self.folder, folder))

    def _write(self, files: dict[str, TargetFile] | None) -> None:
        if not self._repository.exists:
            self._repository.begin(Metadata[Root].from_bytes(self.root_file.read_bytes()))
        contents = self._repository.read()
        self._repository.write(self._keys, [contents.root], contents, files)

    def _now(self) -> datetime:
        return utc_now() - self.age


MakePublisher = Callable[[], Publisher]
