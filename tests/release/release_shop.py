"""A repository, its keys and its tool, and a box that asks it over HTTP."""

import hashlib
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tuf.api.metadata import TargetFile
from tuf.ngclient import Updater

from allerac_image.signing import SigningPair
from allerac_release.cli import main
from allerac_release.desk import Desk, Publication
from allerac_release.evidence import required_cases
from allerac_release.keys import KeyFolders
from allerac_release.passphrases import Passphrases
from allerac_release.repository import Repository, utc_now
from tests.image.update_evidence import Evidence

IMAGE_BYTES = 16 * 1024
"""That cannot be compressed: RAUC makes no bundle of less than 4 KiB."""

PASSPHRASE = "the kettle sings at four"  # noqa: S105  made for these tests

BUILD = "0123456789abcdef0123456789abcdef01234567"
"""The commit of which every bundle says that it was made of it."""

NOTES = "en: |\n  Answers begin sooner.\nde: |\n  Antworten beginnen früher.\n"

MANIFEST = """\
[update]
compatible=allerac-{tier}
version={version}
build={build}

[bundle]
format=verity

[image.rootfs]
filename=root.img
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call of the tool did."""

    status: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line that says why nothing was done."""
        assert (self.status, self.out) == (2, ""), self
        assert self.err.count("\n") == 1, self.err
        return self.err.strip()


class Shop:
    """A folder with a repository `repository`, keys `keys` and notes."""

    def __init__(self, folder: Path, keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.keys = keys
        self.repository = folder / "repository"
        self.notes = folder / "notes.yaml"
        self.notes.write_text(NOTES, "utf-8")
        self._capsys = capsys

    def run(self, command: str, *words: object) -> Outcome:
        """Call the tool with words of a command line."""
        self._capsys.readouterr()
        status = main([command, *map(str, words)])
        said = self._capsys.readouterr()
        return Outcome(status, said.out, said.err)

    def change(self, command: str, *words: object) -> Outcome:
        """Call a command that changes the repository, with development keys."""
        return self.run(command, *words, *self.signing)

    def done(self, command: str, *words: object) -> str:
        """Do the same and return what it says; it must succeed."""
        outcome = self.change(command, *words)
        assert outcome.status == 0, outcome
        return outcome.out

    @property
    def signing(self) -> list[object]:
        """The words that every change has."""
        return ["--repository", self.repository, "--keys", self.keys, "--development"]

    def publish(self, bundle: Path, built_by: Path, *words: object) -> Outcome:
        """Offer a bundle for the tier `vm`."""
        words = (bundle, "--tier", "vm", "--notes", self.notes, "--built-by", built_by, *words)
        return self.change("publish", *words)

    def publish_long_ago(self, age: timedelta, bundle: Path, built_by: Path) -> None:
        """Offer a bundle for `vm` as somebody did `age` ago."""
        publish(self.repository, self.keys, bundle, built_by, age)

    @property
    def overview(self) -> dict[str, Any]:
        """What `show --json` says."""
        overview: dict[str, Any] = json.loads(
            self.run("show", "--repository", self.repository, "--json").out
        )
        return overview


class Box:
    """A TUF client that was shipped with a root and asks a server."""

    def __init__(self, folder: Path, root: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        self._root = root
        folder.mkdir()

    def copied(self, folder: Path) -> "Box":
        """Return a box that has seen the same, in `folder`."""
        box = Box(folder, self._root, self.address)
        shutil.copytree(self.folder, folder, dirs_exist_ok=True, symlinks=True)
        return box

    def offers(self) -> dict[str, TargetFile]:
        """Return what the server offers by its path; raise what the client refuses with."""
        client = self._client()
        client.refresh()
        snapshot = (self.folder / "targets.json").read_bytes()
        paths = json.loads(snapshot)["signed"]["targets"]
        found = {path: client.get_targetinfo(path) for path in paths}
        return {path: target for path, target in found.items() if target is not None}

    def fetch(self, target: TargetFile) -> Path:
        """Fetch a bundle whole; its length and hash are checked."""
        return Path(self._client().download_target(target, str(self.folder / "bundle")))

    def _client(self) -> Updater:
        return Updater(
            str(self.folder),
            f"{self.address}/metadata/",
            target_dir=str(self.folder),
            target_base_url=f"{self.address}/targets/",
            bootstrap=self._root.read_bytes(),
        )


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the signature of the library
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve `folder` on loopback as any static web server would, and yield the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def publish(
    folder: Path, keys: Path, bundle: Path, built_by: Path, age: timedelta = timedelta(0)
) -> None:
    """Offer a bundle for `vm` in the repository `folder`, as somebody did `age` ago."""
    repository = Repository(folder, lambda: utc_now() - age)
    desk = Desk(repository, KeyFolders([keys], Passphrases()), development=True)
    notes = {"en": "Answers begin sooner.", "de": "Antworten beginnen früher."}
    desk.publish(Publication(bundle, "vm", "beta", 100, None, notes, [built_by]))


def publish_release(shop: Shop, bundle: Path, builder: Path, *words: object) -> tuple[object, ...]:
    """Return the words that publish with release keys, and with all the evidence it takes."""
    table = write_table(shop.folder / "table.md")
    chosen = ("--repository", shop.repository, "--keys", shop.keys, "--evidence", table, *words)
    made = ("--notes", shop.notes, "--built-by", builder / "ca.crt")
    return (bundle, "--tier", "vm", *made, *chosen)


def write_table(file: Path, *, commit: str = BUILD, without: str = "", failing: str = "") -> Path:
    """Write the table of a matrix that passed, but for what is left out or failing."""
    evidence = Evidence(file, 1, commit)
    for name in required_cases():
        if name == without:
            continue
        with suppress(TimeoutError), evidence.of(name) as trial:
            trial.result = "back by itself: `did_not_start`"
            if name == failing:
                raise TimeoutError
    return file


def build_bundle(folder: Path, tier: str, version: str, signer: Path) -> Path:
    """Make a bundle of a few kilobytes, signed by the folder `signer` as the build does."""
    content = folder / f"content-{tier}-{version}"
    content.mkdir()
    random = hashlib.shake_256(version.encode()).digest(IMAGE_BYTES)
    (content / "root.img").write_bytes(random)
    (content / "manifest.raucm").write_text(
        MANIFEST.format(tier=tier, version=version, build=BUILD)
    )
    bundle = folder / f"{tier}-{version}.raucb"
    keys: list[str | Path] = ["--cert", signer / "signing.crt", "--key", signer / "signing.key"]
    keys += ["--keyring", signer / "ca.crt"]
    subprocess.run(
        ["/usr/bin/rauc", *keys, "bundle", content, bundle], check=True, capture_output=True
    )
    return bundle


def read_pair(folder: Path, name: str) -> SigningPair:
    """Read a certificate and its key, which has no passphrase."""
    key = load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate = x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())
    return SigningPair(certificate, key)
