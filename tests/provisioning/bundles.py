"""Who signs bundles for the box's RAUC, well or not, and the bundles that come of it."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

IMAGE_BYTES = 16 * 1024
KERNEL_BYTES = 8 * 1024
DAY = timedelta(days=1)
LONG_AGO = datetime(2021, 1, 1, tzinfo=UTC)
MANIFEST = """\
[update]
compatible=allerac-{tier}
version={version}

[bundle]
format={format}

[image.rootfs]
filename=root.img
adaptive=block-hash-index

[image.boot]
filename=boot.img
adaptive=block-hash-index
"""


@dataclass(frozen=True)
class Authority:
    """Who may sign, and signs."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def file(self) -> Path:
        """The certificate."""
        return self.folder / f"{self.name}.crt"


def new_authority(folder: Path, name: str) -> Authority:
    """Make an authority that trusts in itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority = Authority(folder, name, key, _certificate(name, key, None))
    authority.file.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    return authority


def new_leaf(authority: Authority, name: str, **facts: object) -> list[str]:
    """Return the words that sign with a new leaf; `facts` are of its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    facts = {
        "purposes": [ExtendedKeyUsageOID.CODE_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION],
        **facts,
    }
    certificate = _certificate(name, key, authority, **facts)  # type: ignore[arg-type]  # by name
    paths = authority.folder / f"{name}.crt", authority.folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return [f"--cert={paths[0]}", f"--key={paths[1]}"]


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: Authority | None,
    *,
    purposes: list[x509.ObjectIdentifier] | None = None,
    begins: datetime = LONG_AGO,
    ends: datetime | None = None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends or datetime.now(UTC) + DAY)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if purposes is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return builder.sign(issuer.key if issuer else key, hashes.SHA256())


class Workshop:
    """Makes bundles, good ones and others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ours = new_authority(folder, "ours")
        self.theirs = new_authority(folder, "theirs")
        self.good = new_leaf(self.ours, "good")

    def bundle(
        self,
        name: str,
        signer: list[str],
        *,
        tier: str = "vm",
        version: str = "1.1.0",
        bundle_format: str = "verity",
        size: int = IMAGE_BYTES,
    ) -> Path:
        """Return a new bundle. Its image, `image_of` it, is `size` bytes that do not repeat.

        Beside it is a kernel's, `kernel_of` it.
        """
        content = self.folder / f"content-{name}"
        content.mkdir()
        chance = Random(name)  # noqa: S311 - no secret
        (content / "root.img").write_bytes(chance.randbytes(size))
        (content / "boot.img").write_bytes(chance.randbytes(KERNEL_BYTES))
        manifest = MANIFEST.format(tier=tier, version=version, format=bundle_format)
        (content / "manifest.raucm").write_text(manifest)
        bundle = self.folder / f"{name}.raucb"
        subprocess.run(
            ["/usr/bin/rauc", *signer, "bundle", content, bundle], check=True, capture_output=True
        )
        return bundle

    def without_time(self, path: Path) -> Path:
        """Write a bundle to `path` whose signature does not say when it was made."""
        whole = self.bundle("timeless", self.good).read_bytes()
        certificate, key = (Path(word.partition("=")[2]).read_bytes() for word in self.good)
        signing_key = serialization.load_pem_private_key(key, None)
        assert isinstance(signing_key, ec.EllipticCurvePrivateKey)
        signature = (
            pkcs7.PKCS7SignatureBuilder()
            .set_data(MANIFEST.format(tier="vm", version="1.1.0", format="verity").encode())
            .add_signer(x509.load_pem_x509_certificate(certificate), signing_key, hashes.SHA256())
            .sign(Encoding.DER, [pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoAttributes])
        )
        payload = whole[: -8 - int.from_bytes(whole[-8:], "big")]
        path.write_bytes(payload + signature + len(signature).to_bytes(8, "big"))
        return path

    def image_of(self, bundle: Path) -> bytes:
        """Return what the bundle writes."""
        return (self.folder / f"content-{bundle.stem}" / "root.img").read_bytes()

    def kernel_of(self, bundle: Path) -> bytes:
        """Return what the bundle writes beside it."""
        return (self.folder / f"content-{bundle.stem}" / "boot.img").read_bytes()
