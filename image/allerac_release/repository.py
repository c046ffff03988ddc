"""A TUF repository of plain files that any static web server can serve.

Everything new is written beside what clients read; `timestamp.json` is replaced last, and that is
the moment they see the change. A run that is killed before it has changed nothing for them.
"""

import hashlib
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TypeVar

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from allerac_image.errors import BadInput

from .evidence import FILE_NAME, place_of
from .files import alone, remove_parts, write_whole
from .keys import KeyFolders
from .roles import LIFE, ONLINE, TARGETS

NUMBERED = re.compile(r"([1-9]\d*)\.(root|snapshot|targets)\.json")
KEPT = LIFE["snapshot"]
"""How long a replaced version stays: until no valid metadata can lead a client to it."""

Signed = TypeVar("Signed", Root, Snapshot, Targets, Timestamp)
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time as TUF writes it, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Contents:
    """What clients of a repository believe at this moment; `None` before the first release."""

    root: Root
    targets: Targets | None
    snapshot: Snapshot | None
    timestamp: Timestamp | None

    @property
    def files(self) -> dict[str, TargetFile]:
        """The bundles on offer by their path."""
        return dict(self.targets.targets) if self.targets else {}

    def expiries(self) -> dict[str, datetime]:
        """When each role's metadata is no longer believed."""
        roles = (self.root, self.targets, self.snapshot, self.timestamp)
        return {role.type: role.expires for role in roles if role is not None}


class Repository:
    """The folder with `metadata/` and `targets/`."""

    def __init__(self, folder: Path, clock: Clock = utc_now) -> None:
        self.folder = folder
        self.metadata = folder / "metadata"
        self.targets = folder / "targets"
        self.clock = clock

    @property
    def exists(self) -> bool:
        """Whether it has a root, which is the first file of a repository."""
        return bool(self.versions("root"))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let nobody else change the folder, and clear what a killed run left."""
        with alone(self.folder.resolve()):
            remove_parts(self.folder)
            yield

    def begin(self, root: Metadata[Root]) -> None:
        """Make the folder of a repository that trusts what `root` names."""
        self.metadata.mkdir(parents=True, exist_ok=True)
        self.targets.mkdir(exist_ok=True)
        self.write_root(root)

    def read(self) -> Contents:
        """Read what clients see; raise `BadInput` for what they would refuse."""
        if not self.exists:
            raise BadInput(f"There is no repository in {self.folder}; `publish` begins one.")
        root = self._read(f"{self.versions('root')[-1]}.root.json", Root).signed
        if not (self.metadata / "timestamp.json").is_file():
            return Contents(root, None, None, None)
        timestamp = self._trusted(root, "timestamp.json", Timestamp)
        version = timestamp.snapshot_meta.version
        snapshot = self._trusted(root, f"{version}.snapshot.json", Snapshot)
        version = snapshot.meta["targets.json"].version
        targets = self._trusted(root, f"{version}.targets.json", Targets)
        return Contents(root, targets, snapshot, timestamp)

    def write(
        self,
        keys: KeyFolders,
        roots: Sequence[Root],
        contents: Contents,
        files: dict[str, TargetFile] | None,
    ) -> None:
        """Sign and show `files`, or the same as before for `None`.

        Every one of `roots` finds enough signatures; raise `BadInput` when a key is missing.
        """
        now = self.clock()
        if files is not None:
            version = self._next("targets")
            targets = Targets(version, expires=now + LIFE["targets"], targets=files)
            described = self._store(keys, roots, targets, f"{version}.targets.json")
        elif contents.snapshot is None:
            raise BadInput(f"{self.folder} has no release yet.")
        else:
            described = contents.snapshot.meta["targets.json"]
        version = self._next("snapshot")
        snapshot = Snapshot(
            version, expires=now + LIFE["snapshot"], meta={"targets.json": described}
        )
        described = self._store(keys, roots, snapshot, f"{version}.snapshot.json")
        timestamp = Timestamp(
            contents.timestamp.version + 1 if contents.timestamp else 1,
            expires=now + LIFE["timestamp"],
            snapshot_meta=described,
        )
        self._store(keys, roots, timestamp, "timestamp.json")

    def write_root(self, root: Metadata[Root]) -> None:
        """Show a new version of the root."""
        write_whole(self.metadata / f"{root.signed.version}.root.json", root.to_bytes())

    def versions(self, role: str) -> list[int]:
        """Return the versions of a role's metadata that there are, oldest first."""
        found = (NUMBERED.fullmatch(path.name) for path in self.metadata.glob("*.json"))
        return sorted(int(match[1]) for match in found if match and match[2] == role)

    def path_of(self, target: TargetFile) -> Path:
        """Return where the bundle lies: its hash is in its name (consistent snapshots)."""
        path = PurePosixPath(target.path)
        return self.targets / path.parent / f"{target.hashes['sha256']}.{path.name}"

    def tidy(self) -> None:
        """Remove replaced metadata once it is old, and what none of the rest names."""
        for role in (*ONLINE[:1], TARGETS):
            self._remove_old(role)
        kept: set[Path] = set()
        for version in self.versions("targets"):
            named = self._read(f"{version}.targets.json", Targets).signed.targets
            for target in named.values():
                kept.update(self._files_of(target))
        for pattern in ("*.raucb", f"*.{FILE_NAME}"):
            for path in set(self.targets.rglob(pattern)) - kept:
                path.unlink()

    def _files_of(self, target: TargetFile) -> Iterator[Path]:
        bundle = self.path_of(target)
        yield bundle
        evidence = place_of(bundle, (target.custom or {}).get("evidence", {}))
        if evidence is not None:
            yield evidence

    def _remove_old(self, role: str) -> None:
        versions = self.versions(role)
        limit = (self.clock() - KEPT - timedelta(minutes=1)).timestamp()
        for version, successor in itertools.pairwise(versions):
            replaced = self.metadata / f"{successor}.{role}.json"
            if replaced.stat().st_mtime < limit:
                (self.metadata / f"{version}.{role}.json").unlink()

    def _next(self, role: str) -> int:
        """Return a number that no file has, not even one of a run that was killed."""
        return max(self.versions(role), default=0) + 1

    def _store(
        self,
        keys: KeyFolders,
        roots: Sequence[Root],
        signed: Signed,
        name: str,
    ) -> MetaFile:
        metadata = Metadata(signed)
        for root in roots:
            keys.sign(metadata, root.roles[signed.type])
        for root in roots:
            if not root.get_verification_result(
                signed.type, metadata.signed_bytes, metadata.signatures
            ):
                raise keys.missing(signed.type, root.roles[signed.type])
        content = metadata.to_bytes()
        write_whole(self.metadata / name, content)
        return MetaFile(
            signed.version, len(content), {"sha256": hashlib.sha256(content).hexdigest()}
        )

    def _trusted(self, root: Root, name: str, kind: type[Signed]) -> Signed:
        metadata = self._read(name, kind)
        result = root.get_verification_result(kind.type, metadata.signed_bytes, metadata.signatures)
        if not result:
            raise BadInput(f"{self.metadata / name} is not signed by the keys of {kind.type}.")
        return metadata.signed

    def _read(self, name: str, kind: type[Signed]) -> Metadata[Signed]:
        path = self.metadata / name
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
        return parsed(content, kind, str(path))


def parsed(content: bytes, kind: type[Signed], name: str) -> Metadata[Signed]:
    """Read metadata of one `kind`; raise `BadInput` naming the file when it is something else."""
    try:
        metadata = Metadata.from_bytes(content)
    except RepositoryError as error:
        raise BadInput(f"{name} is no TUF metadata.") from error
    if not isinstance(metadata.signed, kind):
        raise BadInput(f"{name} is no {kind.type} metadata.")
    return metadata
