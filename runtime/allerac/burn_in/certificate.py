"""The birth certificate: what a unit was when it left the factory, signed by its own key.

    {"certificate": {..., "device_key": {"place", "public", "voucher"}}, "signature": BASE64}

The signature is ECDSA with SHA-256 by the device key over `certificate` as JSON with sorted keys,
without spaces, in UTF-8. A key in the TPM brings the signature by which the key that the station
made vouches for it (`device_key.statement`).
"""

import base64
import json
from typing import Any

from .device_key import DeviceKey

Certificate = dict[str, Any]


def sign(body: dict[str, Any], key: DeviceKey) -> Certificate:
    """Sign `body`, which then says by which key. Raises `Unavailable` when a TPM does not."""
    used = {"place": key.place, "public": key.public, "voucher": key.voucher}
    body = {**body, "device_key": used}
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    signature = key.sign(text.encode())
    return {"certificate": body, "signature": base64.b64encode(signature).decode()}


def content_of(document: Certificate) -> bytes:
    """Return a certificate as it is kept and handed over."""
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
