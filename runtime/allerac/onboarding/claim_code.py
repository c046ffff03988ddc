"""The code that proves who holds the box: on its label, or on its console."""

import hmac
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

CODE_LENGTH = 8
"""Eight of 32 signs: 40 bits, which the limits on guessing turn into centuries."""


class ClaimProof(Protocol):
    """A code, wherever it is written; typed codes come normalised."""

    def read_or_make(self) -> str | None:
        """Have a code while the box is nobody's; return it if it is ours to show."""

    async def matches(self, typed: str) -> bool:
        """Tell whether `typed` is the code; a burnt one is matched by nothing."""

    def read(self) -> str | None:
        """Return the code if it is ours to show."""

    def burn(self) -> None:
        """Forget the code."""


class LabelCode:
    """The code that the factory printed on the label; the box knows only its hash.

    `verify` tells whether an encoded hash is that of a text. The hash is not ours to remove: after
    the claim nobody is asked for the code any more.
    """

    def __init__(self, encoded: str, verify: Callable[[str, str], Awaitable[bool]]) -> None:
        self._encoded = encoded
        self._verify = verify

    def read_or_make(self) -> None:
        """Do nothing: it is on the label."""

    async def matches(self, typed: str) -> bool:
        """Tell whether `typed` is on the label."""
        return await self._verify(self._encoded, typed)

    def read(self) -> None:
        """Return nothing: it is on the label."""

    def burn(self) -> None:
        """Do nothing: it stays on the label."""


class ClaimCode:
    """A code that the box makes for itself, in a file that only the runtime reads."""

    def __init__(self, path: Path, make: Callable[[], str]) -> None:
        self._path = path
        self._make = make

    def read_or_make(self) -> str:
        """Return the code; the first time it is made."""
        present = self.read()
        if present is not None:
            return present
        code = self._make()
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        scratch = self._path.with_suffix(".part")
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(code)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self._path)
        return code

    async def matches(self, typed: str) -> bool:
        """Tell whether `typed` is the code."""
        code = self.read()
        return code is not None and hmac.compare_digest(code.encode(), typed.encode())

    def read(self) -> str | None:
        """Return the code, None once it is burnt."""
        try:
            return self._path.read_text().strip() or None
        except FileNotFoundError:
            return None

    def burn(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)
