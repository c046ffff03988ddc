"""The box's certificate authority and the certificate that its proxy shows.

No public authority vouches for `.local` names, so the box makes its own, once. It can vouch for
nothing else: name constraints (RFC 5280, section 4.2.1.10) confine it to `.local` names and private
addresses, so that whoever trusts it trusts this box at home and no more. Keys are ECDSA P-256,
which all browsers read.

ca.key  ca.crt     the authority, ten years
box.key box.crt    what the proxy shows, at most 397 days; renewed with the same key
"""

import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .files import replace_file

AUTHORITY_DAYS: Final = 3652
LEAF_DAYS: Final = 397
"""Browsers refuse more of a public authority (CA/Browser Forum, ballot SC-22v2); some of any."""

RENEWAL_DAYS: Final = 30
CLOCK_SKEW: Final = timedelta(days=1)
EARLIEST: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock that says less is wrong: no box is older."""

ZONE: Final = "local"
FIRST_NAME: Final = "allerac.local"
PRIVATE: Final = tuple(
    ip_network(text)
    for text in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)
"""RFC 1918, RFC 3927; RFC 4193 and RFC 4291, sections 2.5.3 and 2.5.6."""

PRIVATE_MODE, PUBLIC_MODE, FOLDER_MODE = 0o600, 0o644, 0o755
PROXY_MODE = 0o640
"""On a box the folder's group is the proxy's, which is not root."""

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a person compares and plans with; `fingerprint` is SHA-256 of the authority."""

    fingerprint: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Pair:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


class CertificateFolder:
    """The files in `folder`; several processes may tend them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def authority_file(self) -> Path:
        """What people install on their devices."""
        return self._folder / "ca.crt"

    def facts(self) -> CertificateFacts | None:
        """Return what there is to tell, None before the first certificate."""
        authority = _load_certificate(self.authority_file)
        leaf = _load_certificate(self._folder / "box.crt")
        if authority is None or leaf is None:
            return None
        fingerprint = authority.fingerprint(hashes.SHA256()).hex(":").upper()
        return CertificateFacts(fingerprint, leaf.not_valid_after_utc)

    def ensure(self, names: Iterable[str], addresses: Iterable[str], now: datetime) -> bool:
        """Have a certificate for `allerac.local` and at least these names and addresses.

        True when it is a new one. Names outside `.local` and public addresses are left out: the
        authority may not vouch for them. Raises OSError.
        """
        now = max(now, EARLIEST)
        lower = {FIRST_NAME, *(name.lower() for name in names)}
        wanted_names = {name for name in lower if name.endswith(f".{ZONE}")}
        wanted_addresses = {ip for ip in map(ip_address, addresses) if _is_private(ip)}
        self._folder.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(self._folder.stat().st_mode)
        if mode & ~stat.S_ISGID != FOLDER_MODE:
            self._folder.chmod(FOLDER_MODE | mode & stat.S_ISGID)
        with self._locked():
            authority = self._authority(now)
            key = _load_key(self._folder / "box.key")
            leaf = _load_certificate(self._folder / "box.crt")
            if (
                key is not None
                and leaf is not None
                and _matches(key, leaf)
                and _is_issued_by(leaf, authority.certificate)
                and _is_current(leaf, now)
                and _covers(leaf, wanted_names, wanted_addresses)
            ):
                return False
            key = key or self._new_key("box.key", PROXY_MODE)
            leaf = _sign_leaf(authority, key, wanted_names, wanted_addresses, now)
            self._write_certificate("box.crt", leaf)
        return True

    def _authority(self, now: datetime) -> _Pair:
        key = _load_key(self._folder / "ca.key")
        certificate = _load_certificate(self.authority_file)
        if key is not None and certificate is not None and _matches(key, certificate):
            if now + timedelta(days=LEAF_DAYS) < certificate.not_valid_after_utc:
                return _Pair(key, certificate)
            key = None  # people have to trust anew in any case
        key = key or self._new_key("ca.key", PRIVATE_MODE)
        pair = _Pair(key, _sign_authority(key, now))
        self._write_certificate("ca.crt", pair.certificate)
        return pair

    def _new_key(self, name: str, mode: int) -> ec.EllipticCurvePrivateKey:
        """Make a key; it is kept before anything is signed, so that no certificate lacks its."""
        key = ec.generate_private_key(ec.SECP256R1())
        encoded = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        replace_file(self._folder / name, encoded, mode)
        return key

    def _write_certificate(self, name: str, certificate: x509.Certificate) -> None:
        encoded = certificate.public_bytes(serialization.Encoding.PEM)
        replace_file(self._folder / name, encoded, PUBLIC_MODE)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _is_private(ip: Address) -> bool:
    return any(ip in network for network in PRIVATE)


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _load_certificate(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _matches(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> bool:
    return key.public_key() == certificate.public_key()


def _is_issued_by(leaf: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_current(leaf: x509.Certificate, now: datetime) -> bool:
    renewal = leaf.not_valid_after_utc - timedelta(days=RENEWAL_DAYS)
    return leaf.not_valid_before_utc <= now < renewal


def _covers(leaf: x509.Certificate, names: set[str], addresses: set[Address]) -> bool:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return names <= set(found.get_values_for_type(x509.DNSName)) and addresses <= set(
        found.get_values_for_type(x509.IPAddress)
    )


def _sign_authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    name = _common_name(f"Allerac authority {key_id.digest.hex()[:8]}")
    permitted = [x509.DNSName(ZONE), *(x509.IPAddress(network) for network in PRIVATE)]
    builder = _builder(name, name, key.public_key()).not_valid_before(EARLIEST)
    return (
        builder.not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(key_id, critical=False)
        .sign(key, hashes.SHA256())
    )


def _sign_leaf(
    authority: _Pair,
    key: ec.EllipticCurvePrivateKey,
    names: set[str],
    addresses: set[Address],
    now: datetime,
) -> x509.Certificate:
    issuer = authority.certificate
    known_as = [
        *(x509.DNSName(name) for name in sorted(names)),
        *(x509.IPAddress(ip) for ip in sorted(addresses, key=lambda ip: (ip.version, int(ip)))),
    ]
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    begin = now - CLOCK_SKEW
    builder = _builder(_common_name("Allerac box"), issuer.subject, key.public_key())
    return (
        builder.not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=LEAF_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(known_as), critical=False)
        .add_extension(authority_id, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
    )


def _common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
