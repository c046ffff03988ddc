"""The birth certificate that a unit signs after its burn-in, as the station reads and proves it.

    {"certificate": {..., "device_key": {"place", "public", "voucher"}}, "signature": BASE64}

The signature is ECDSA with SHA-256 by the device key over `certificate` as JSON with sorted keys,
without spaces, in UTF-8. A key that the unit made in its TPM brings a voucher: the same kind of
signature by the key that the station gave it, over `statement`.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
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
IN_TPM = "tpm"
UNPROVEN = (InvalidSignature, AttributeError, KeyError, TypeError, ValueError)
"""What a certificate raises that its unit did not sign, or that is none at all."""

Certificate = Mapping[str, Any]


def verify_certificate(document: Certificate, given_key: bytes) -> Certificate:
    """Return what the unit says when it says it: `given_key` is the public key (PEM) that it was
    given, or that it had in its TPM when it came back.

    Raises one of `UNPROVEN`.
    """
    body: Certificate = document["certificate"]
    _verify(key_of(document, given_key), str(document["signature"]), _canonical(body))
    return body


def key_of(document: Certificate, given_key: bytes) -> bytes:
    """Return the public key (PEM) by which the unit signs: the given one, or one in its TPM for
    which that vouches.

    Raises one of `UNPROVEN`.
    """
    body = document["certificate"]
    told = body.get("device_key") or {}
    if told.get("place") != IN_TPM or _public(told["public"].encode()) == _public(given_key):
        return given_key
    _verify(given_key, str(told["voucher"]), statement(body))
    return str(told["public"]).encode()


def place_of(document: Certificate) -> str:
    """Return where the unit says that its key is: `tpm` or `partition`."""
    told = document["certificate"].get("device_key") or {}
    return IN_TPM if told.get("place") == IN_TPM else "partition"


def statement(body: Certificate) -> bytes:
    """Return what a voucher signs: the key, its unit, and the writing of the drive."""
    facts = {name: body[name] for name in ("serial", "device_id", "flash_id")}
    return _canonical({**facts, "vouched_key": body["device_key"]["public"]})


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _public(pem: bytes) -> ec.EllipticCurvePublicKey:
    key = load_pem_public_key(pem)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("its key is of another kind")  # noqa: TRY004  a value, not a mistake of ours
    return key


def _verify(pem: bytes, signature: str, content: bytes) -> None:
    signed = base64.b64decode(signature, validate=True)
    _public(pem).verify(signed, content, ec.ECDSA(hashes.SHA256()))


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
