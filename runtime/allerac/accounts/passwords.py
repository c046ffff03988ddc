"""Passwords: hashed by Argon2id, refused when they would be guessed."""

import asyncio
import itertools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from allerac.errors import InvalidInput

MINIMUM_LENGTH = 8
MAXIMUM_LENGTH = 1024
PARALLEL_HASHES = 2
"""Two at a time leave the machine usable while somebody guesses."""

LEET = str.maketrans("013457@$!", "oieastasi")
KEY_ROWS = (
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "01234567890",
    "09876543210",
)
ENDINGS = re.compile(r"[\W\d_]+$")


@dataclass(frozen=True, slots=True)
class PasswordStrength:
    """`score` 0 (guessed at once) to 4 (out of reach); `ok` from 2 on."""

    score: int
    ok: bool
    reason: str


class Passwords:
    """Argon2id with OWASP's first recommendation: 19 MiB, two passes, one lane.

    Source: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """

    def __init__(self, *, memory_kib: int = 19456, passes: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._places = asyncio.Semaphore(PARALLEL_HASHES)
        self._nobody = _hash_of_nobody(memory_kib, passes)

    async def hash(self, password: str) -> str:
        """Return the encoded hash."""
        async with self._places:
            return await asyncio.to_thread(self._hasher.hash, _composed(password))

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Tell whether `password` is right; None takes as long and is always wrong."""
        async with self._places:
            is_right = await asyncio.to_thread(self._verify, encoded or self._nobody, password)
        return is_right and encoded is not None

    def _verify(self, encoded: str, password: str) -> bool:
        try:
            return self._hasher.verify(encoded, _composed(password))
        except (VerificationError, InvalidHashError):
            return False


def _hash_of_nobody(memory_kib: int, passes: int) -> str:
    """Return a hash that no password has and that takes as long to verify as any.

    It is made with the least work and says that it took the usual: a start need not wait for it.
    """
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("")
    return quick.replace("$m=8,t=1,p=1$", f"$m={memory_kib},t={passes},p=1$")


def measure(password: str, names: Iterable[str] = ()) -> PasswordStrength:
    """Say how well `password` would hold against somebody who knows `names` and the usual lists."""
    if len(password) < MINIMUM_LENGTH:
        return PasswordStrength(0, False, f"Use at least {MINIMUM_LENGTH} characters.")
    if len(password) > MAXIMUM_LENGTH:
        return PasswordStrength(0, False, f"Use at most {MAXIMUM_LENGTH} characters.")
    plain = _composed(password).casefold()
    if _is_common(plain):
        return PasswordStrength(0, False, "This is one of the first passwords that are tried.")
    known = _parts_of(names)
    if any(name in plain and len(plain) - len(name) < MINIMUM_LENGTH for name in known):
        return PasswordStrength(1, False, "It is made of a name; add a few words.")
    length = _effective_length(plain)
    if length < 5:
        return PasswordStrength(1, False, "It repeats itself or follows the keyboard.")
    if length < 8:
        return PasswordStrength(2, True, "Fine. A few words more would be better.")
    if length < 14:
        return PasswordStrength(3, True, "Good.")
    return PasswordStrength(4, True, "Very good.")


def require_strong(password: str, names: Iterable[str], field: str = "password") -> None:
    """Raise `InvalidInput` for a password that would be guessed."""
    strength = measure(password, names)
    if not strength.ok:
        raise InvalidInput(
            "Choose another password.", hint=strength.reason, fields={field: strength.reason}
        )


def _composed(password: str) -> str:
    """Return the one form of what looks alike: keyboards differ in how they send "ü".

    Source: NIST SP 800-63B, 5.1.1.2, normalisation before hashing.
    """
    return unicodedata.normalize("NFKC", password)


def _parts_of(names: Iterable[str]) -> set[str]:
    """Return the names, without spaces, and their parts long enough to tell."""
    parts = set()
    for name in names:
        plain = _composed(name).casefold()
        parts |= {word for word in plain.split() if len(word) > 3}
        parts |= {joined for joined in (plain, plain.replace(" ", "")) if len(joined) >= 3}
    return parts


def _is_common(plain: str) -> bool:
    common = _common()
    bare = ENDINGS.sub("", plain)
    candidates = {plain, bare, plain.translate(LEET), bare.translate(LEET)}
    halves = {plain[: len(plain) // 2]} if plain[: len(plain) // 2] * 2 == plain else set()
    return not common.isdisjoint(candidates | halves)


def _common() -> frozenset[str]:
    text = files(__package__).joinpath("common_passwords.txt").read_text()
    return frozenset(word for word in text.split() if word)


def _effective_length(plain: str) -> int:
    """Characters that are neither a repetition nor the next on the keyboard or in the alphabet."""
    count = 1
    for before, sign in itertools.pairwise(plain):
        follows = ord(sign) - ord(before) in {0, 1, -1}
        on_row = any(before + sign in row for row in KEY_ROWS)
        count += not (follows or on_row)
    return min(count, len(set(plain)) * 2)
