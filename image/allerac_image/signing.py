"""Keys and certificates that sign update bundles; development ones are made at first use."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .errors import ImageError
from .log import StepLog

DAYS = 3650
CLOCK_BEHIND = timedelta(days=1)
"""How far a box's clock may be behind the machine that made a certificate."""

LEAF_PURPOSES = (ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION)
"""RAUC on the box asks for code signing, the one that signs asks for e-mail protection."""

PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class SigningPair:
    """A certificate and the key that it speaks for."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def write(self, certificate: Path, key: Path, passphrase: bytes = b"") -> None:
        """Write both as PEM, the key as PKCS #8 that only its owner may read."""
        certificate.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        key.touch(mode=PRIVATE)  # before there is a secret in it
        encryption: KeySerializationEncryption = (
            BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        )
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))


def new_authority(name: str, days: int) -> SigningPair:
    """Return a certificate authority that trusts in itself for `days`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(name)
    certificate = (
        _begun(subject, subject, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(of_an_authority=True), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return SigningPair(certificate, key)


def new_leaf(authority: SigningPair, name: str, days: int) -> SigningPair:
    """Return a new key that `authority` lets sign bundles for `days`."""
    key = ec.generate_private_key(ec.SECP256R1())
    return SigningPair(certify(authority, name, key.public_key(), days), key)


def certify(
    authority: SigningPair, name: str, key: ec.EllipticCurvePublicKey, days: int
) -> x509.Certificate:
    """Return a certificate by which `authority` lets `key` sign bundles for `days`."""
    issuer = authority.certificate.subject
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    return (
        _begun(_named(name), issuer, key, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(of_an_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(LEAF_PURPOSES), critical=True)
        .add_extension(identifier, critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_BEHIND)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, of_an_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not of_an_authority,
        key_cert_sign=of_an_authority,
        crl_sign=of_an_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


class Signer:
    """A folder with `ca.crt` (what the box trusts), `signing.crt` and `signing.key`."""

    def __init__(self, folder: Path) -> None:
        self.authority = folder / "ca.crt"
        self.certificate = folder / "signing.crt"
        self.key = folder / "signing.key"
        self._folder = folder

    @property
    def is_complete(self) -> bool:
        """Whether all three files are there."""
        return all(path.is_file() for path in (self.authority, self.certificate, self.key))

    def make_development_keys(self, log: StepLog) -> None:
        """Make an authority and a signing key that no shipped box trusts."""
        if self.is_complete:
            return
        if self._folder.exists() and any(self._folder.iterdir()):
            raise ImageError(
                f"{self._folder} has some of the signing keys, not all. Put the missing ones back "
                "or remove the folder, then development keys are made."
            )
        log.write(f"development keys in {self._folder}\n")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        authority = new_authority("Allerac development", DAYS)
        leaf = new_leaf(authority, "Allerac development bundles", DAYS)
        leaf.write(self.certificate, self.key)
        self.authority.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
