"""The whole repository as a box would judge it, with the same client."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tuf.api.exceptions import (
    DownloadError,
    DownloadHTTPError,
    LengthOrHashMismatchError,
    RepositoryError,
)
from tuf.api.metadata import TargetFile
from tuf.ngclient import FetcherInterface, Updater

from allerac_image.errors import BadInput

from .bundles import read_bundle
from .desk import releases_of
from .evidence import problem_of
from .release import Release
from .repository import Repository
from .trust import read_trust


class FolderFetcher(FetcherInterface):
    """Gives an `Updater` the files of a folder as if it had asked a server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            yield (self._folder / url).read_bytes()
        except FileNotFoundError as error:
            raise DownloadHTTPError(f"{url} is not there", 404) from error


def problems_of(repository: Repository, trust: Path) -> Iterator[str]:
    """Say what a box with the files in `trust` would refuse, one line each."""
    believed = read_trust(trust)
    with TemporaryDirectory(prefix="allerac-release-") as kept:
        try:
            client = Updater(
                kept,
                "metadata/",
                fetcher=FolderFetcher(repository.folder),
                bootstrap=believed.root.read_bytes(),
            )
            client.refresh()
        except (RepositoryError, DownloadError) as error:
            yield f"Metadata: {error}"
            return
    contents = repository.read()
    for release in releases_of(contents):
        problem = _problem_of(repository, release, contents.files[release.path], believed.keyring)
        if problem:
            yield f"{release.version} for {release.tier}: {problem}"


def _problem_of(repository: Repository, release: Release, target: TargetFile, keyring: Path) -> str:
    path = repository.path_of(target)
    try:
        with path.open("rb") as file:
            target.verify_length_and_hashes(file)
        bundle = read_bundle(path, [keyring])
    except (OSError, LengthOrHashMismatchError, BadInput) as error:
        return str(error)
    told = (f"allerac-{release.tier}", release.version, release.manifest_hash)
    if told != (bundle.compatible, bundle.version, bundle.manifest_hash):
        return "the bundle is another one than the metadata say"
    return problem_of(path, release.evidence)
