"""Bundles of RAUC: what one says of itself, and signing one again without touching its contents."""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from allerac_image.errors import BadInput
from allerac_image.host import require_programs
from allerac_image.log import PATH, Words
from bootstrap.system import Program

from .keys import Leaf

PROGRAMS = (Program("rauc", "rauc"), Program("openssl", "openssl"))
SIZE_BYTES = 8
"""A bundle ends with its signature and then the signature's length, big-endian (RAUC, formats)."""

LARGEST_SIGNATURE = 64 * 1024
"""RAUC's own limit."""

CONFIGURATION = """\
[system]
compatible=allerac
bootloader=noop

[keyring]
path={keyring}
check-purpose=codesign
use-bundle-signing-time=true
"""
"""What a box says in its `system.conf`, so that a bundle is judged here as it will be there."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a box learns of a bundle before it installs it."""

    compatible: str
    version: str
    manifest_hash: str
    """SHA-256 of the manifest inside the signature: `manifest-hash` of RAUC's InspectBundle."""
    build: str
    """The commit that its image was made of; empty when it does not say."""


def read_bundle(bundle: Path, authorities: Sequence[Path]) -> Bundle:
    """Judge a bundle as a box does; raise `BadInput` with RAUC's reason when it is refused."""
    require_programs(PROGRAMS)
    manifest_hash = hashlib.sha256(_manifest_of(bundle)).hexdigest()
    with TemporaryDirectory(prefix="allerac-release-") as name:
        folder = Path(name)
        keyring = folder / "keyring.pem"
        keyring.write_bytes(b"\n".join(path.read_bytes() for path in authorities))
        configuration = folder / "system.conf"
        configuration.write_text(CONFIGURATION.format(keyring=keyring))
        info: Words = ["info", "--output-format=json", bundle]
        said = json.loads(_run(bundle, ["rauc", "-c", configuration, *info]))
    return Bundle(said["compatible"], said["version"], manifest_hash, said.get("build") or "")


def sign_bundle(bundle: Path, authorities: Sequence[Path], leaf: Leaf, signed: Path) -> None:
    """Write `bundle` to `signed` with the signature of `leaf` in place of the one it has.

    Manifest and payload are the same bytes, so the manifest hash is the same too: what was tried
    in one channel is what the next one gets. RAUC checks the old signature, the payload and the
    new signature. (`rauc resign` would make a new hash tree, and with it another manifest.)
    """
    signature = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(_manifest_of(bundle))
        .add_signer(leaf.pair.certificate, leaf.pair.key, hashes.SHA256())
        .sign(Encoding.DER, [pkcs7.PKCS7Options.Binary, pkcs7.PKCS7Options.NoCapabilities])
    )
    with TemporaryDirectory(prefix="allerac-release-") as name:
        folder = Path(name)
        keyring, file = folder / "keyring.pem", folder / "signature"
        keyring.write_bytes(b"\n".join(path.read_bytes() for path in authorities))
        file.write_bytes(signature)
        trust: Words = [
            "--trust-environment",
            "--keyring",
            keyring,
            "--signing-keyring",
            leaf.authority,
        ]
        _run(bundle, ["rauc", "replace-signature", *trust, bundle, file, signed])


def leaf_expiry(bundle: Path) -> datetime:
    """Return when the certificate ends that a bundle was signed with; nothing is signed after."""
    certificates = pkcs7.load_der_pkcs7_certificates(_signature_of(bundle))
    return min(certificate.not_valid_after_utc for certificate in certificates)


def _manifest_of(bundle: Path) -> bytes:
    with _written(_signature_of(bundle)) as signature:
        command: Words = [
            "openssl",
            "cms",
            "-verify",
            "-noverify",
            "-inform",
            "DER",
            "-in",
            signature,
        ]
        return _run(bundle, command)


def _signature_of(bundle: Path) -> bytes:
    if not bundle.is_file():
        raise BadInput(f"There is no bundle at {bundle}.")
    with bundle.open("rb") as file:
        end = file.seek(0, os.SEEK_END) - SIZE_BYTES
        size = LARGEST_SIGNATURE + 1
        if end >= 0:
            file.seek(end)
            size = int.from_bytes(file.read(SIZE_BYTES), "big")
        if size > min(end, LARGEST_SIGNATURE):
            raise BadInput(f"{bundle} is no bundle: no signature at its end.")
        file.seek(end - size)
        return file.read(size)


@contextmanager
def _written(content: bytes) -> Iterator[Path]:
    with TemporaryDirectory(prefix="allerac-release-") as folder:
        path = Path(folder) / "content"
        path.write_bytes(content)
        yield path


def _run(bundle: Path, command: Words) -> bytes:
    """Return what a program prints; raise `BadInput` with the last line of what it complains."""
    finished = subprocess.run(
        command, env={"PATH": PATH, "LC_ALL": "C.UTF-8"}, capture_output=True, check=False
    )
    if finished.returncode == 0:
        return finished.stdout
    complaint = [line for line in finished.stderr.decode(errors="replace").splitlines() if line]
    reason = complaint[-1].strip() if complaint else f"status {finished.returncode}"
    raise BadInput(f"{bundle.name} is refused by {command[0]}: {reason}")
