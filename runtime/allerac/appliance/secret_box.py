"""Secrets of others that the box must be able to read again: keys of remote engines, passwords.

They are sealed with a key that is a file beside the database, never in it: whoever has a copy of
the database alone, or of a backup of it, has none of the secrets. AES-256-GCM, a fresh nonce for
each (NIST SP 800-38D); the purpose is authenticated, so that one row's secret does not open as
another's.
"""

import base64
import binascii
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from allerac.appliance.files import replace_file
from allerac.errors import SecretLost

_FORM: Final = "1:"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class SecretBox:
    """Seals and opens short texts. Blocks for one small file; the key is made when first needed."""

    def __init__(self, key_file: Path) -> None:
        """`key_file` belongs in `secrets/` of the data directory."""
        self._key_file = key_file

    def seal(self, secret: str, purpose: str) -> str:
        """Return `secret` as text for a row; it opens only for the same `purpose`.

        Raises OSError where the key cannot be read or made.
        """
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._key(make=True)).encrypt(nonce, secret.encode(), purpose.encode())
        return _FORM + base64.b64encode(nonce + sealed).decode("ascii")

    def open(self, sealed: str, purpose: str) -> str:
        """Return the secret. Raises `SecretLost` where key, text or purpose do not match."""
        try:
            content = base64.b64decode(sealed.removeprefix(_FORM), validate=True)
            nonce, body = content[:_NONCE_BYTES], content[_NONCE_BYTES:]
            return AESGCM(self._key(make=False)).decrypt(nonce, body, purpose.encode()).decode()
        except (OSError, ValueError, binascii.Error, InvalidTag) as err:
            raise SecretLost(
                "A stored secret cannot be read any more.", hint="Enter it once more."
            ) from err

    def _key(self, *, make: bool) -> bytes:
        try:
            key = self._key_file.read_bytes()
        except FileNotFoundError:
            if not make:
                raise
            return self._made()
        if len(key) != _KEY_BYTES:
            raise OSError(f"{self._key_file.name} is damaged")
        return key

    def _made(self) -> bytes:
        key = os.urandom(_KEY_BYTES)
        self._key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(self._key_file, key, 0o600)
        return key
