"""The birth certificate: what a unit was when it left the factory, signed by its own key.

    {"certificate": {...}, "signature": BASE64}

The signature is ECDSA with SHA-256 by the device key over `certificate` as JSON with sorted keys,
without spaces, in UTF-8.
"""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from allerac.errors import InvalidInput

Certificate = dict[str, Any]


def sign(body: dict[str, Any], private_key: bytes) -> Certificate:
    """Sign `body` by a key in PEM; raises `InvalidInput` when it is no device key."""
    try:
        key = load_pem_private_key(private_key, None)
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            "The unit's key cannot be read.", hint="Flash the unit again."
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise InvalidInput("The unit's key is of another kind.", hint="Flash the unit again.")
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    signature = key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    return {"certificate": body, "signature": base64.b64encode(signature).decode()}


def content_of(document: Certificate) -> bytes:
    """Return a certificate as it is kept and handed over."""
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
