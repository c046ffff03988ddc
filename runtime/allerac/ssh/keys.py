"""Public keys as people paste them: one line of a `.pub` file (sshd(8), AUTHORIZED_KEYS)."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_public_key,
)

from allerac.errors import InvalidInput
from allerac.storage.ssh import NewSshKey

MAX_LENGTH: Final = 4096
MAX_COMMENT: Final = 100
RSA_BITS: Final = range(3072, 16385)
"""Less is not for years to come (BSI TR-02102-4); more OpenSSH does not read."""

KINDS: Final[Mapping[str, str]] = {
    "ssh-ed25519": "Ed25519",
    "ecdsa-sha2-nistp256": "ECDSA 256",
    "ecdsa-sha2-nistp384": "ECDSA 384",
    "ecdsa-sha2-nistp521": "ECDSA 521",
    "ssh-rsa": "RSA",
}


def read_key(text: str) -> NewSshKey:
    """Return the key of a line `kind key comment`. Raises `InvalidInput`.

    Options before the kind are refused: what a key may do is not the line's to say.
    """
    line = text.strip()
    if "PRIVATE KEY" in line:
        raise _refused("This is a private key. Keep it to yourself, and paste the .pub file.")
    if len(line) > MAX_LENGTH:
        raise _refused(f"A key has at most {MAX_LENGTH} characters.")
    if not line.isprintable():
        raise _refused("One line, without characters that cannot be seen.")
    words = line.split(maxsplit=2)
    if len(words) < 2 or words[0] not in KINDS:
        raise _refused("Paste the whole line of the .pub file, with nothing before it.")
    comment = words[2].strip() if len(words) == 3 else ""
    if len(comment) > MAX_COMMENT:
        raise _refused(f"Its comment has more than {MAX_COMMENT} characters.")
    blob, bits = _decode(words[0], words[1])
    return NewSshKey(
        line=f"{words[0]} {base64.b64encode(blob).decode()} {comment}".rstrip(),
        kind=f"{KINDS[words[0]]} {bits}" if bits else KINDS[words[0]],
        comment=comment,
        fingerprint=fingerprint(blob),
    )


def fingerprint(blob: bytes) -> str:
    """Return a key's fingerprint as ssh-keygen(1) shows it."""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"


def _decode(kind: str, text: str) -> tuple[bytes, int | None]:
    """Return the key's bytes, which are as OpenSSH would write them, and the bits of an RSA key."""
    try:
        blob = base64.b64decode(text, validate=True)
        key = load_ssh_public_key(f"{kind} {text}".encode())
        written = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise _refused("The key is not whole. Copy the line again.") from error
    if base64.b64decode(written.split()[1]) != blob:
        raise _refused("The key is not whole. Copy the line again.")
    bits = key.key_size if isinstance(key, RSAPublicKey) else None
    if bits is not None and bits not in RSA_BITS:
        raise _refused(f"An RSA key needs at least {RSA_BITS.start} bits.")
    return blob, bits


def _refused(reason: str) -> InvalidInput:
    return InvalidInput("This key cannot be used.", hint=reason, fields={"key": reason})
