"""The code that proves who holds the box: on its label, or on its console."""

import os
from collections.abc import Callable
from pathlib import Path

CODE_LENGTH = 8
"""Eight of 32 signs: 40 bits, which the limits on guessing turn into centuries."""


class ClaimCode:
    """A file that only the runtime reads; gone after the claim."""

    def __init__(self, path: Path, make: Callable[[], str]) -> None:
        self._path = path
        self._make = make

    def read(self) -> str | None:
        """Return the code, or None when there is none."""
        try:
            return self._path.read_text().strip() or None
        except FileNotFoundError:
            return None

    def read_or_make(self) -> str:
        """Return the code; a unit that did not get one in the factory makes its own."""
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

    def burn(self) -> None:
        """Forget the code."""
        self._path.unlink(missing_ok=True)
