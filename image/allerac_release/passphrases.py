"""What opens the private keys; asked once for each folder."""

import getpass
import sys
from pathlib import Path

from allerac_image.errors import BadInput

SHORTEST = 12
"""Characters; the file may be stolen and guessed at without limit."""


class Passphrases:
    """Reads passphrases from a file, else asks the person at the terminal."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._known: dict[Path, bytes] = {}

    def of(self, folder: Path) -> bytes:
        """Return what opens the keys in `folder`; raise `BadInput` when nobody can be asked."""
        if folder not in self._known:
            self._known[folder] = self._read() or _ask(f"Passphrase of {folder}: ")
        return self._known[folder]

    def new(self, folder: Path) -> bytes:
        """Return a passphrase for keys yet to be made; raise `BadInput` for a weak one."""
        given = self._read()
        chosen = given or _ask(f"New passphrase for {folder}: ")
        if len(chosen.decode()) < SHORTEST:
            raise BadInput(f"The passphrase is too short: take {SHORTEST} characters or more.")
        if not given and _ask("The same again: ") != chosen:
            raise BadInput("The two passphrases differ; nothing was made.")
        return chosen

    def remember(self, folder: Path, phrase: bytes) -> None:
        """Open the keys in `folder` by `phrase` without asking."""
        self._known[folder] = phrase

    def _read(self) -> bytes:
        if self._file is None:
            return b""
        try:
            lines = self._file.read_text("utf-8").splitlines()
        except OSError as error:
            raise BadInput(f"{self._file} cannot be read: {error.strerror}.") from error
        if not lines or not lines[0]:
            raise BadInput(f"{self._file} has no passphrase in its first line.")
        return lines[0].encode()


def _ask(question: str) -> bytes:
    if not sys.stdin.isatty():
        raise BadInput("The keys have a passphrase and nobody is there to ask: --passphrase-file.")
    return getpass.getpass(question).encode()
