"""What a person does with releases. Each change is signed whole and seen by boxes at once."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import Root, TargetFile

from allerac_image.errors import BadInput

from .bundles import Bundle, read_bundle, sign_bundle
from .evidence import NONE, Evidence, place_of, require_evidence
from .files import part_of, put_in_place, write_whole
from .keys import (
    KeyFolders,
    Leaf,
    authorities_of,
    fingerprint,
    is_for_development,
    read_certificate,
)
from .release import Release
from .repository import Contents, Repository, parsed
from .roles import ONLINE, TARGETS
from .version import Version

OLDEST = "0.0.0"
"""The least version that may update directly, as long as nobody says another."""


@dataclasses.dataclass(frozen=True, slots=True)
class Publication:
    """A bundle that is offered for the first time."""

    bundle: Path
    tier: str
    channel: str
    percentage: int
    minimum: str | None
    notes: Mapping[str, str]
    built_by: Sequence[Path]
    """Authorities that vouch for the machine that built it; the channel's own when empty."""
    evidence: Evidence = NONE


class Desk:
    """One repository and the keys at hand. Every method raises `BadInput` before it changes."""

    def __init__(self, repository: Repository, keys: KeyFolders, *, development: bool) -> None:
        self.repository = repository
        self._keys = keys
        self._development = development

    def publish(self, wanted: Publication) -> Release:
        """Offer a bundle; it must be newer than what its tier has."""
        with self._changing(TARGETS, begin=True) as contents:
            leaf = self._leaf(contents.root, wanted.channel)
            authorities = wanted.built_by or [leaf.authority]
            bundle = read_bundle(wanted.bundle, authorities)
            release = self._new_release(wanted, bundle, contents)
            if wanted.evidence != NONE or not self._development:
                require_evidence(wanted.evidence, bundle.build)
            target = self._store(wanted.bundle, authorities, leaf, release)
            self._store_evidence(wanted.evidence, target)
            self._show(contents, {**contents.files, release.path: target})
        return release

    def promote(self, version: str, tier: str | None, percentage: int) -> list[Release]:
        """Offer a beta to everybody, beginning with `percentage` of the boxes."""
        with self._changing(TARGETS) as contents:
            leaf = self._leaf(contents.root, "stable")
            files = contents.files
            promoted = []
            for release in _found(contents, version, tier):
                if release.channel == "stable":
                    raise BadInput(f"{release.version} for {release.tier} is stable already.")
                promoted.append(
                    dataclasses.replace(release, channel="stable", percentage=percentage)
                )
            for release in promoted:
                source = self._checked(files[release.path])
                files[release.path] = self._store(source, [leaf.authority], leaf, release)
            self._show(contents, files)
        return promoted

    def change(self, version: str, tier: str | None, **fields: object) -> list[Release]:
        """Set fields of a release: `percentage`, `halted` or `minimum_version`."""
        with self._changing(TARGETS) as contents:
            files = contents.files
            changed = []
            for release in _found(contents, version, tier):
                new: Release = dataclasses.replace(release, **fields)  # type: ignore[arg-type]  # by name
                files[new.path] = new.described(files[new.path])
                changed.append(new)
            self._show(contents, files)
        return changed

    def revoke(self, version: str, tier: str | None) -> list[Release]:
        """Take a release back, with its file: who is still fetching it ends with an error."""
        with self._changing(TARGETS) as contents:
            files = contents.files
            revoked = _found(contents, version, tier)
            for release in revoked:
                del files[release.path]
            self._show(contents, files)
            for release in revoked:
                for path in (self.repository.targets / release.path).parent.glob("*"):
                    path.unlink()
        return revoked

    def refresh(self, *, targets: bool = False) -> None:
        """Say that nothing changed, for another week; with `targets` renew those as well."""
        roles = (TARGETS,) if targets else ()
        with self._changing(*roles) as contents:
            if contents.targets is None:
                raise BadInput(f"{self.repository.folder} has no release yet.")
            if not targets and contents.targets.is_expired(self.repository.clock()):
                raise BadInput(
                    f"The targets expired on {contents.targets.expires:%Y-%m-%d}: "
                    "refresh --targets, with their key."
                )
            self._show(contents, contents.files if targets else None)

    @contextmanager
    def _changing(self, *roles: str, begin: bool = False) -> Iterator[Contents]:
        with self.repository.held():
            contents = self._contents(begin=begin)
            root = contents.root
            if root.is_expired(self.repository.clock()):
                raise BadInput(
                    f"The root expired on {root.expires:%Y-%m-%d}: renew it by `rotate`."
                )
            accept_purpose(root, development=self._development)
            self._keys.require(root, *roles, *ONLINE)
            yield contents

    def _contents(self, *, begin: bool) -> Contents:
        if self.repository.exists or not begin:
            return self.repository.read()
        file = self._keys.trusted_root
        return Contents(parsed(file.read_bytes(), Root, str(file)).signed, None, None, None)

    def _leaf(self, root: Root, channel: str) -> Leaf:
        leaf = self._keys.leaf(channel, self.repository.clock())
        if fingerprint(read_certificate(leaf.authority)) not in authorities_of(root):
            raise BadInput(f"Boxes of this repository do not trust {leaf.authority}.")
        return leaf

    def _new_release(self, wanted: Publication, bundle: Bundle, contents: Contents) -> Release:
        if bundle.compatible != f"allerac-{wanted.tier}":
            raise BadInput(
                f"{wanted.bundle.name} is for {bundle.compatible}, not for tier {wanted.tier}."
            )
        version = Version.read(bundle.version)
        earlier = [one for one in releases_of(contents) if one.tier == wanted.tier]
        newest = max(earlier, key=lambda one: one.order, default=None)
        if newest and version <= newest.order:
            raise BadInput(
                f"{version} is not newer than {newest.version}, the newest for {wanted.tier}."
            )
        return Release(
            tier=wanted.tier,
            version=bundle.version,
            channel=wanted.channel,
            percentage=wanted.percentage,
            halted=False,
            minimum_version=wanted.minimum or (newest.minimum_version if newest else OLDEST),
            manifest_hash=bundle.manifest_hash,
            notes=wanted.notes,
            released_at=f"{self.repository.clock():%Y-%m-%dT%H:%M:%SZ}",
            evidence=wanted.evidence.described(),
        )

    def _store(
        self, bundle: Path, authorities: Sequence[Path], leaf: Leaf, release: Release
    ) -> TargetFile:
        """Sign the bundle for its channel, put it among the targets and describe it."""
        part = part_of(self.repository.targets / release.path)
        part.parent.mkdir(parents=True, exist_ok=True)
        sign_bundle(bundle, authorities, leaf, part)
        signed = read_bundle(part, [leaf.authority])
        if signed.manifest_hash != release.manifest_hash:
            raise BadInput(f"{bundle} changed while it was signed.")
        target = release.described(TargetFile.from_file(release.path, str(part), ["sha256"]))
        put_in_place(part, self.repository.path_of(target))
        return target

    def _store_evidence(self, evidence: Evidence, target: TargetFile) -> None:
        place = place_of(self.repository.path_of(target), evidence.described())
        if place is not None and evidence.content is not None:
            write_whole(place, evidence.content)

    def _checked(self, target: TargetFile) -> Path:
        path = self.repository.path_of(target)
        try:
            with path.open("rb") as file:
                target.verify_length_and_hashes(file)
        except (OSError, LengthOrHashMismatchError) as error:
            raise BadInput(f"{path} is not the file that was published.") from error
        return path

    def _show(self, contents: Contents, files: dict[str, TargetFile] | None) -> None:
        if not self.repository.exists:
            file = self._keys.trusted_root
            self.repository.begin(parsed(file.read_bytes(), Root, str(file)))
        self.repository.write(self._keys, [contents.root], contents, files)
        self.repository.tidy()


def releases_of(contents: Contents) -> list[Release]:
    """Return everything on offer, tier by tier, the newest first."""
    releases = [Release.of(target) for target in contents.files.values()]
    releases.sort(key=lambda release: release.order, reverse=True)
    return sorted(releases, key=lambda release: release.tier)


def accept_purpose(root: Root, *, development: bool) -> None:
    """Keep development and release keys apart; raise `BadInput` for the other kind."""
    if is_for_development(root) and not development:
        raise BadInput("These are development keys, which never sign a release: --development.")
    if development and not is_for_development(root):
        raise BadInput("These are release keys: leave out --development.")


def _found(contents: Contents, version: str, tier: str | None) -> list[Release]:
    everything = releases_of(contents)
    found = [one for one in everything if one.version == version and tier in (None, one.tier)]
    if not found:
        known = ", ".join(f"{one.version} ({one.tier})" for one in everything) or "none"
        wanted = f"{version} for {tier}" if tier else version
        raise BadInput(f"There is no release {wanted}. Releases: {known}.")
    return found
