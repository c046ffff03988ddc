"""The signature over `SHA256SUMS`: who made an image answers for it.

A detached CMS message (RFC 5652) in `SHA256SUMS.p7s`, by the key that signs bundles: whoever
believes the one believes the other, and no further key has to be kept.
"""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_pem_private_key,
    pkcs7,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from .errors import BadInput
from .log import PATH

SUMS = "SHA256SUMS"
SIGNATURE = "SHA256SUMS.p7s"


def sign_checksums(folder: Path, certificate: Path, key: Path, passphrase: bytes = b"") -> None:
    """Sign the checksums in `folder`; raise `BadInput` without checksums or a key that signs."""
    try:
        sums = (folder / SUMS).read_bytes()
        vouching = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = load_pem_private_key(key.read_bytes(), passphrase or None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadInput(f"{folder} cannot be signed: {error}") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise BadInput(f"{key} is no key that signs bundles.")
    signed = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(sums)
        .add_signer(vouching, private, hashes.SHA256())
        .sign(
            Encoding.DER,
            [
                pkcs7.PKCS7Options.Binary,
                pkcs7.PKCS7Options.DetachedSignature,
                pkcs7.PKCS7Options.NoCapabilities,
            ],
        )
    )
    (folder / SIGNATURE).write_bytes(signed)


def verify_checksums(folder: Path, keyring: Path) -> dict[str, str]:
    """Return file name → SHA-256 of a folder whose signature `keyring` vouches for.

    Raises `BadInput` when the signature is missing, of somebody else, or not over these checksums.
    """
    for path in (folder / SUMS, folder / SIGNATURE, keyring):
        if not path.is_file():
            raise BadInput(f"{path} is not there; an image without a signature is not written.")
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any"]
    files = ["-in", str(folder / SIGNATURE), "-content", str(folder / SUMS)]
    done = subprocess.run(
        [*command, *files, "-CAfile", str(keyring), "-no-CApath"],
        capture_output=True,
        check=False,
        env={"PATH": PATH, "LC_ALL": "C.UTF-8"},
    )
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise BadInput(
            f"The signature of {folder / SUMS} is refused: {' '.join(reason)}. "
            "Do not use this image; fetch or build it again."
        )
    _require_purpose(folder / SIGNATURE)
    return _sums(done.stdout.decode())


def _require_purpose(signature: Path) -> None:
    """Refuse a certificate of the authority that is not for signing code, as RAUC does."""
    (certificate, *_) = pkcs7.load_der_pkcs7_certificates(signature.read_bytes())
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    if ExtendedKeyUsageOID.CODE_SIGNING not in usage:
        raise BadInput(f"{signature} was made with a key that is not for signing images.")
    if certificate.not_valid_after_utc < datetime.now(UTC):
        raise BadInput(f"The key that made {signature} has ended.")


def _sums(text: str) -> dict[str, str]:
    """Read lines of sha256sum(1); Packer writes a tab where others write two spaces."""
    pairs = (line.split(None, 1) for line in text.splitlines() if line.strip())
    return {name.strip().lstrip("*"): digest for digest, name in pairs}
