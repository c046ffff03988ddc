"""The birth certificate that a unit signs after its burn-in, as the station reads and proves it.

    {"certificate": {...}, "signature": BASE64}

The signature is ECDSA with SHA-256 by the device key over `certificate` as JSON with sorted keys,
without spaces, in UTF-8.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from allerac_image.errors import BadInput

from .contents import table_of
from .file_system import BadFileSystem, Ext4
from .gpt import BadTable
from .table import columns

NAME = "birth-certificate.json"
ON_DRIVES = "*birth-certificate*.json"
LARGEST = 1 << 20

Certificate = Mapping[str, Any]


def verify_certificate(document: Certificate, public_key: bytes) -> Certificate:
    """Return what the unit says when the holder of `public_key` (PEM) says it.

    Raises `cryptography.exceptions.InvalidSignature`, ValueError or KeyError.
    """
    key = load_pem_public_key(public_key)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("its key is of another kind")  # noqa: TRY004  a value, not a mistake of ours
    body: Certificate = document["certificate"]
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    signature = base64.b64decode(str(document["signature"]), validate=True)
    key.verify(signature, text.encode(), ec.ECDSA(hashes.SHA256()))
    return body


def read_certificates(source: Path) -> Iterator[Certificate]:
    """Yield the certificates in a file, in a folder such as a USB drive's, or on a unit's drive.

    Raises `BadInput` when there is none, or one that is no JSON.
    """
    if source.is_dir():
        files = sorted(source.rglob(ON_DRIVES))
        if not files:
            raise BadInput(f"There is no birth certificate below {source}.")
        for file in files:
            yield parse_certificate(file.read_bytes()[:LARGEST], str(file))
    elif source.suffix == ".json":
        try:
            yield parse_certificate(source.read_bytes()[:LARGEST], str(source))
        except OSError as error:
            raise BadInput(f"{source} cannot be read: {error.strerror}.") from error
    else:
        yield parse_certificate(_on_drive(source), str(source))


def parse_certificate(content: bytes, source: str) -> Certificate:
    """Return the certificate in `content`, unproven; raise `BadInput` when it is none."""
    try:
        document = json.loads(content)
        _ = document["certificate"]["serial"], document["signature"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInput(f"{source} holds no birth certificate.") from error
    return dict(document)


def checks_in(document: Certificate) -> list[str]:
    """Return a table of what was measured beside its limits; what is no check is left out."""
    rows = [("", "CHECK", "MEASURED", "LIMITS", "REASON")]
    listed = document["certificate"].get("checks")
    for check in listed if isinstance(listed, list) else []:
        if isinstance(check, dict):
            sign = "✓" if check.get("passed") is True else "✗"
            measured, limits = _facts(check.get("measured")), _facts(check.get("limits"))
            rows.append(
                (sign, str(check.get("name")), measured, limits, str(check.get("reason", "")))
            )
    return [printable(line) for line in columns(rows)]


def printable(line: str) -> str:
    """Return a line of a drive that nobody vouches for without what would move the cursor."""
    return "".join(sign if sign.isprintable() else "?" for sign in line)


def _facts(told: object) -> str:
    known = told.items() if isinstance(told, dict) else ()
    return ", ".join(f"{name} {fact}" for name, fact in known if fact not in (None, ""))


def _on_drive(drive: Path) -> bytes:
    try:
        table = table_of(drive)
        offset = table.partition("identity").offset if table else 0
        content = Ext4(drive, offset).read(f"/{NAME}")
    except (OSError, BadTable, BadFileSystem) as error:
        raise BadInput(f"{drive} holds no unit: {error}") from error
    if content is None:
        raise BadInput(f"The unit on {drive} has no birth certificate yet: start it once.")
    return content
