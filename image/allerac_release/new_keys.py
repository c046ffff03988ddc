"""Making a folder of keys: all of it, or nothing."""

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from tuf.api.metadata import Metadata, Role, Root

from allerac_image.errors import BadInput
from allerac_image.signing import PRIVATE, new_authority, new_leaf

from .files import part_of, write_whole
from .keys import NOTE, KeyFolders, fingerprint, public_key, read_certificate
from .passphrases import Passphrases
from .roles import (
    AUTHORITY_DAYS,
    CHANNELS,
    LEAF_DAYS,
    LIFE,
    ONLINE,
    ROOT_KEYS,
    ROOT_THRESHOLD,
    TARGETS,
)
from .trust import read_trust


@dataclass(frozen=True, slots=True)
class NewKeys:
    """What to make: development keys have no passphrase and say what they are."""

    folder: Path
    development: bool
    bundles_of: Path | None = None
    """A folder whose keys for bundles are taken over: those that boxes trust already."""


def make_keys(wanted: NewKeys, passphrases: Passphrases, now: datetime) -> None:
    """Make the folder; raise `BadInput` when there is something already."""
    folder = wanted.folder
    if folder.exists():
        raise BadInput(f"{folder} is there already; keys are never overwritten.")
    phrase = b"" if wanted.development else passphrases.new(folder)
    if wanted.bundles_of is not None:
        _accept_bundle_keys(wanted.bundles_of, phrase, now, development=wanted.development)
    part = part_of(folder)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, mode=0o700)
    _make_tuf_keys(part / "tuf", phrase)
    if wanted.bundles_of is None:
        _make_bundle_keys(part / "rauc", phrase, development=wanted.development)
    else:
        shutil.copytree(wanted.bundles_of / "rauc", part / "rauc")
    root = root_of(part, development=wanted.development, expires=now + LIFE["root"])
    signed = Metadata(root)
    _opened(part, phrase).sign(signed, root.roles["root"])
    trust = part / "trust"
    trust.mkdir()
    (trust / "root.json").write_bytes(signed.to_bytes())
    shutil.copyfile(part / "rauc" / "ca.crt", trust / "keyring.pem")
    part.rename(folder)


def root_of(folder: Path, *, development: bool, expires: datetime) -> Root:
    """Return the first version of a root that trusts the public keys in `folder`."""
    authority = read_certificate(folder / "rauc" / "ca.crt")
    note = {"development": development, "authorities": [fingerprint(authority)]}
    root = Root(version=1, expires=expires, unrecognized_fields={NOTE: note})
    root.roles["root"] = Role([], ROOT_THRESHOLD)
    for number in range(1, ROOT_KEYS + 1):
        root.add_key(public_key(folder / "tuf" / f"root-{number}.pub"), "root")
    for role in (TARGETS, *ONLINE):
        root.add_key(public_key(folder / "tuf" / f"{role}.pub"), role)
    return root


def renew_certificates(folder: Path, passphrases: Passphrases) -> None:
    """Give the keys of the channels certificates that hold for longer; the keys stay."""
    keys = KeyFolders([folder], passphrases)
    for channel, certificate in keys.renew_leaves(folder, CHANNELS).items():
        write_whole(folder / "rauc" / f"{channel}.crt", certificate.public_bytes(Encoding.PEM))


def _accept_bundle_keys(source: Path, phrase: bytes, now: datetime, *, development: bool) -> None:
    """Raise `BadInput` unless the keys are of the same kind and `phrase` opens them."""
    if read_trust(source / "trust").development != development:
        raise BadInput(f"{source} has keys of the other kind: development and release never mix.")
    keys = _opened(source, phrase)
    for channel in CHANNELS:
        keys.leaf(channel, now)


def _opened(folder: Path, phrase: bytes) -> KeyFolders:
    passphrases = Passphrases()
    passphrases.remember(folder, phrase)
    return KeyFolders([folder], passphrases)


def _make_tuf_keys(folder: Path, phrase: bytes) -> None:
    folder.mkdir()
    encryption: KeySerializationEncryption = (
        BestAvailableEncryption(phrase) if phrase else NoEncryption()
    )
    roots = [f"root-{number}" for number in range(1, ROOT_KEYS + 1)]
    for name in (*roots, TARGETS, *ONLINE):
        key = ed25519.Ed25519PrivateKey.generate()
        private = folder / f"{name}.pem"
        private.touch(mode=PRIVATE)  # before there is a secret in it
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        private.with_suffix(".pub").write_bytes(public)


def _make_bundle_keys(folder: Path, phrase: bytes, *, development: bool) -> None:
    folder.mkdir()
    name = "Allerac development" if development else "Allerac"
    authority = new_authority(name, AUTHORITY_DAYS)
    authority.write(folder / "ca.crt", folder / "ca.key", phrase)
    for channel in CHANNELS:
        leaf = new_leaf(authority, f"{name} bundles, {channel}", LEAF_DAYS)
        leaf.write(folder / f"{channel}.crt", folder / f"{channel}.key", phrase)
