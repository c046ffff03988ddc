"""Secrets that people or programs carry: made, normalised, and kept as hashes only."""

import hashlib
import secrets

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""32 signs without those that look alike (I and 1, O and 0): 5 bits each."""

RECOVERY_GROUPS = 5
GROUP_LENGTH = 4
KEY_PREFIX = "alr_"


def new_token() -> str:
    """Return 256 random bits for a cookie or a link."""
    return secrets.token_urlsafe(32)


def new_api_key() -> str:
    """Return a key that can be recognised as ours, for instance by secret scanners."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def new_code(groups: int, length: int = GROUP_LENGTH) -> str:
    """Return `groups` groups of signs joined by dashes."""
    signs = ("".join(secrets.choice(ALPHABET) for _ in range(length)) for _ in range(groups))
    return "-".join(signs)


def normalise_code(text: str) -> str:
    """Return a typed code as it was made: case, spaces and dashes do not matter."""
    return "".join(sign for sign in text.upper() if sign in ALPHABET)


def hash_token(token: str) -> str:
    """Return the SHA-256 of a token; it is random, so a slow hash would add nothing."""
    return hashlib.sha256(token.encode()).hexdigest()
