"""Folders of private keys: made once, then taken where they belong, found again by their id.

tuf/<role>.pem, .pub     root-1 to root-3, targets, snapshot, timestamp (Ed25519, PKCS #8)
rauc/ca.crt, .key        the authority that boxes trust for bundles
rauc/<channel>.crt, .key the leaf that signs a channel's bundles
trust/root.json          what an image carries to believe metadata
trust/keyring.pem        what an image carries to believe bundles
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import Metadata, Role, Root

from allerac_image.errors import BadInput
from allerac_image.signing import SigningPair, certify

from .passphrases import Passphrases
from .roles import LEAF_DAYS

NOTE = "allerac"
"""The field of the root that is ours: whether it is for development, and who signs bundles."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What signs a channel's bundles, and the file of the authority that vouches for it."""

    pair: SigningPair
    authority: Path

    @property
    def expires(self) -> datetime:
        """When boxes begin to refuse what it signs."""
        return self.pair.certificate.not_valid_after_utc


class KeyFolders:
    """The keys at hand, in one folder or in several persons'."""

    def __init__(self, folders: Sequence[Path], passphrases: Passphrases) -> None:
        self._folders = folders
        self._passphrases = passphrases
        self._files: dict[str, Path] = {}
        for folder in folders:
            if not folder.is_dir():
                raise BadInput(f"There is no folder of keys at {folder}.")
            for public in sorted(folder.glob("tuf/*.pub")):
                if (private := public.with_suffix(".pem")).is_file():
                    self._files[public_key(public).keyid] = private

    @property
    def trusted_root(self) -> Path:
        """The root metadata that images carry, in the first folder that has it."""
        for folder in self._folders:
            if (path := folder / "trust" / "root.json").is_file():
                return path
        raise BadInput(f"No trust/root.json in {self._names}.")

    def has(self, role: Role) -> bool:
        """Whether enough keys of `role` are at hand."""
        return sum(keyid in self._files for keyid in role.keyids) >= role.threshold

    def require(self, root: Root, *names: str) -> None:
        """Open the keys of these roles; raise `BadInput` when one is missing or stays shut."""
        for name in names:
            role = root.roles[name]
            if not self.has(role):
                raise self.missing(name, role)
            for keyid in role.keyids:
                if keyid in self._files:
                    self._signer(self._files[keyid])

    def sign(self, metadata: Metadata, role: Role) -> None:  # type: ignore[type-arg]  # any role's
        """Add the signature of every key of `role` that is at hand."""
        for keyid in role.keyids:
            if keyid in self._files and keyid not in metadata.signatures:
                metadata.sign(self._signer(self._files[keyid]), append=True)

    def missing(self, name: str, role: Role) -> BadInput:
        """Return the error that says how many keys of `role` are needed and at hand."""
        found = sum(keyid in self._files for keyid in role.keyids)
        return BadInput(
            f"A key of {name} is missing: {role.threshold} of {len(role.keyids)} needed, "
            f"{found} in {self._names}."
        )

    def leaf(self, channel: str, now: datetime) -> Leaf:
        """Return what signs the bundles of `channel`; raise `BadInput` when there is none."""
        for folder in self._folders:
            certificate = folder / "rauc" / f"{channel}.crt"
            key = certificate.with_suffix(".key")
            if certificate.is_file() and key.is_file():
                leaf = Leaf(self._pair(certificate, key), folder / "rauc" / "ca.crt")
                if leaf.expires <= now:
                    raise BadInput(
                        f"{certificate} expired on {leaf.expires:%Y-%m-%d}: "
                        f"keys {folder} --renew-certificates."
                    )
                return leaf
        raise BadInput(f"The key of bundles for {channel} is missing in {self._names}.")

    def renew_leaves(self, folder: Path, channels: Sequence[str]) -> dict[str, x509.Certificate]:
        """Return new certificates of `folder`'s authority for the keys of its channels."""
        rauc = folder / "rauc"
        if not (rauc / "ca.key").is_file():
            raise BadInput(f"The authority's key {rauc / 'ca.key'} is missing.")
        authority = self._pair(rauc / "ca.crt", rauc / "ca.key")
        renewed = {}
        for channel in channels:
            pair = self._pair(rauc / f"{channel}.crt", rauc / f"{channel}.key")
            name = pair.certificate.subject.rfc4514_string().removeprefix("CN=")
            renewed[channel] = certify(authority, name, pair.key.public_key(), LEAF_DAYS)
        return renewed

    @property
    def _names(self) -> str:
        return ", ".join(map(str, self._folders)) or "no folder: name one by --keys"

    def _signer(self, file: Path) -> CryptoSigner:
        return CryptoSigner(self._private(file), public_key(file.with_suffix(".pub")))

    def _pair(self, certificate: Path, key: Path) -> SigningPair:
        private = self._private(key)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise BadInput(f"{key} is no key of an elliptic curve.")
        return SigningPair(read_certificate(certificate), private)

    def _private(self, file: Path) -> PrivateKeyTypes:
        content = file.read_bytes()
        phrase = None
        if b"ENCRYPTED" in content:
            phrase = self._passphrases.of(file.parents[1])
        try:
            return load_pem_private_key(content, phrase)
        except ValueError as error:
            if phrase is None:
                raise BadInput(f"{file} is no private key.") from error
            raise BadInput(f"That is not the passphrase of {file}.") from error


def public_key(file: Path) -> SSlibKey:
    """Read a public key; raise `BadInput` when it is none of Ed25519."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except ValueError as error:
        raise BadInput(f"{file} is no public key.") from error
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise BadInput(f"{file} is no Ed25519 key.")
    return SSlibKey.from_crypto(key)


def read_certificate(file: Path) -> x509.Certificate:
    """Read a certificate; raise `BadInput` when there is none."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError) as error:
        raise BadInput(f"{file} is no certificate.") from error


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the whole certificate in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def is_for_development(root: Root) -> bool:
    """Whether these keys were made for trying things out."""
    note = root.unrecognized_fields.get(NOTE, {})
    return bool(note.get("development"))


def authorities_of(root: Root) -> list[str]:
    """Return the fingerprints of the authorities whose bundles boxes accept."""
    note = root.unrecognized_fields.get(NOTE, {})
    return list(note.get("authorities", []))
