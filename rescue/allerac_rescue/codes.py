"""Who may act: someone who holds the label's claim code or the owner's recovery code.

One line for each code: `label` or `owner`, a colon, `scrypt$<n>$<r>$<p>$<salt>$<hash>`, both in
base64. Argon2id, which hashes
them elsewhere, is not in the standard library; scrypt is (RFC 7914), with OWASP's least parameters.
"""

import base64
import binascii
import hashlib
import hmac
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

COST, BLOCK, PARALLEL = 2**15, 8, 3
"""OWASP Password Storage Cheat Sheet: N=2^15, r=8, p=3; takes 32 MiB."""

MEMORY_BYTES = 64 * 2**20
GUESSES, GUESS_SECONDS = 5, 600.0
"""Five wrong codes in ten minutes: 40 bits last for longer than the box."""

_ALPHABET = frozenset("ABCDEFGHJKLMNPQRSTUVWXYZ23456789")
"""The signs of which claim codes and recovery codes are made."""


def normalise(code: str) -> str:
    """Return a typed code as it was made: case, spaces and dashes do not matter."""
    return "".join(sign for sign in code.upper() if sign in _ALPHABET)


def hash_code(code: str, salt: bytes | None = None) -> str:
    """Return the line that is kept of a code."""
    salt = os.urandom(16) if salt is None else salt
    digest = _scrypt(normalise(code), salt, COST, BLOCK, PARALLEL)
    told = [base64.b64encode(part).decode() for part in (salt, digest)]
    return "$".join(["scrypt", str(COST), str(BLOCK), str(PARALLEL), *told])


def _scrypt(code: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(
        code.encode(), salt=salt, n=cost, r=block, p=parallel, maxmem=MEMORY_BYTES, dklen=32
    )


def matches(code: str, line: str) -> bool:
    """Tell whether `line` was made of `code`; a line that cannot be read matches nothing."""
    try:
        kind, cost, block, parallel, salt, digest = line.strip().split("$")
        if kind != "scrypt" or not normalise(code):
            return False
        found = _scrypt(
            normalise(code), base64.b64decode(salt), int(cost), int(block), int(parallel)
        )
        return hmac.compare_digest(found, base64.b64decode(digest))
    except (ValueError, binascii.Error):
        return False


class TooManyGuesses(Exception):
    """Wrong codes came too often; `seconds` say when to try again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"again in {seconds} s")
        self.seconds = seconds


class Door:
    """Tries codes against the file of their hashes, which may change at any time."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._wrong: deque[float] = deque()

    @property
    def has_lock(self) -> bool:
        """Tell whether there is a code at all."""
        return bool(self._lines())

    def opens(self, code: str) -> bool:
        """Tell whether `code` is one of those kept.

        Raises:
            TooManyGuesses: instead of trying.
        """
        now = self._clock()
        while self._wrong and self._wrong[0] <= now - GUESS_SECONDS:
            self._wrong.popleft()
        if len(self._wrong) >= GUESSES:
            raise TooManyGuesses(int(self._wrong[0] + GUESS_SECONDS - now) + 1)
        self._wrong.append(now)  # before the slow part, so that many at once gain nothing
        if sum(matches(code, line) for line in self._lines()):  # all are tried, whichever fits
            self._wrong.clear()
            return True
        return False

    def _lines(self) -> list[str]:
        try:
            text = self._file.read_text(encoding="ascii", errors="replace")
        except OSError:
            return []
        return [line.partition(":")[2] for line in text.splitlines() if ":" in line]
