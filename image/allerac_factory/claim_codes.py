"""The code on a unit's label, and the two hashes of it that the unit knows."""

import base64
import hashlib
import os
import secrets
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

CODE_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 8
"""Eight of 32 signs are 40 bits; the box's limits on guessing turn them into centuries."""

MEMORY_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Effort:
    """What a hash takes, and so each guess; both kinds of hashes tell it themselves."""

    argon2: PasswordHasher
    scrypt_cost: int
    scrypt_block: int
    scrypt_parallel: int


OWASP = Effort(PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1), 2**15, 8, 3)
"""OWASP's first recommendation for Argon2id, which the runtime uses for passwords too, and that for
scrypt, which the rescue page has without any library."""


def new_claim_code() -> str:
    """Return a code without its dash."""
    return "".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_LENGTH))


def hash_claim_code(code: str, effort: Effort = OWASP) -> str:
    """Return what the runtime compares a typed code with."""
    return effort.argon2.hash(code)


def is_claim_code(encoded: str, code: str) -> bool:
    """Tell whether `encoded` is the hash of `code`."""
    try:
        return OWASP.argon2.verify(encoded, code)
    except (VerificationError, InvalidHashError):
        return False


def rescue_line(code: str, effort: Effort = OWASP) -> str:
    """Return what the rescue page compares a typed code with (`allerac_rescue.codes`)."""
    salt = os.urandom(16)
    n, r, p = effort.scrypt_cost, effort.scrypt_block, effort.scrypt_parallel
    digest = hashlib.scrypt(code.encode(), salt=salt, n=n, r=r, p=p, maxmem=MEMORY_BYTES, dklen=32)
    told = [base64.b64encode(part).decode() for part in (salt, digest)]
    return "$".join(["label:scrypt", str(n), str(r), str(p), *told])
