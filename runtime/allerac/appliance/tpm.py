"""The machine's TPM 2.0, spoken to by tpm2-tools: a signing key that never leaves it.

The key hangs below the storage primary of the owner's hierarchy, which the TPM derives from its
seed whenever it is asked to (TPM 2.0 Library, part 1, 14.4). What is kept of the key are two blobs
that no other TPM opens.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from allerac.errors import Unavailable

ATTRIBUTES: Final = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign"
"""Made in this TPM and bound to it; wrong passwords elsewhere do not lock it (part 2, 8.3)."""

KIND: Final = "ecc256:ecdsa-sha256"
SECONDS: Final = 60.0
"""For one program: firmware TPMs take a second for a key, discrete ones ten."""

PRIMARY, KEY, PEM = "primary.ctx", "key.ctx", "key.pem"
PUBLIC, PRIVATE = "key.pub", "key.priv"
CONTENT, SIGNATURE = "content", "signature"
CODE: Final = "(0x"
"""In the line that says what the TPM itself answered."""

HINT: Final = "Clear the TPM in the firmware's settings, or switch it off there."


@dataclass(frozen=True, slots=True)
class SealedKey:
    """What is kept of a key: the TPM's own TPM2B_PUBLIC and TPM2B_PRIVATE."""

    public: bytes
    private: bytes


class Tpm:
    """The TPM at `place`, as TCTI names places (tss2-tcti-device(7)).

    Every method takes seconds at most and raises `Unavailable` when the TPM does not do it.
    """

    def __init__(self, place: str) -> None:
        self._place = place

    def make_key(self) -> SealedKey:
        """Return a new ECDSA key on P-256."""
        with self._primary() as folder:
            made = ["create", "--parent-context", PRIMARY, "--hash-algorithm", "sha256"]
            made += ["--key-algorithm", KIND, "--attributes", ATTRIBUTES]
            self._do(folder, *made, "--public", PUBLIC, "--private", PRIVATE)
            return SealedKey((folder / PUBLIC).read_bytes(), (folder / PRIVATE).read_bytes())

    def public_key(self, key: SealedKey) -> bytes:
        """Return the public half in PEM, if `key` is of this TPM."""
        with self._loaded(key) as folder:
            words = ("readpublic", "--object-context", KEY, "--format", "pem", "--output", PEM)
            self._do(folder, *words)
            return (folder / PEM).read_bytes()

    def sign(self, key: SealedKey, content: bytes) -> bytes:
        """Return the signature of SHA-256 of `content` in DER (RFC 3279, 2.2.3)."""
        with self._loaded(key) as folder:
            (folder / CONTENT).write_bytes(content)
            words = ["sign", "--key-context", KEY, "--hash-algorithm", "sha256"]
            words += ["--scheme", "ecdsa", "--format", "plain", "--signature", SIGNATURE]
            self._do(folder, *words, CONTENT)
            return (folder / SIGNATURE).read_bytes()

    @contextmanager
    def _loaded(self, key: SealedKey) -> Iterator[Path]:
        with self._primary() as folder:
            (folder / PUBLIC).write_bytes(key.public)
            (folder / PRIVATE).write_bytes(key.private)
            words = ["load", "--parent-context", PRIMARY, "--public", PUBLIC, "--private", PRIVATE]
            self._do(folder, *words, "--key-context", KEY)
            yield folder

    @contextmanager
    def _primary(self) -> Iterator[Path]:
        with TemporaryDirectory(prefix="allerac-tpm-") as name:
            folder = Path(name)
            words = ["createprimary", "--hierarchy", "o", "--hash-algorithm", "sha256"]
            self._do(folder, *words, "--key-algorithm", "ecc256", "--key-context", PRIMARY)
            yield folder

    def _do(self, folder: Path, *words: str) -> None:
        self._run(folder, *words)
        # Where no resource manager stands between, the few places for loaded keys stay taken.
        self._run(folder, "flushcontext", "--transient-object")

    def _run(self, folder: Path, command: str, *words: str) -> None:
        try:
            done = subprocess.run(
                ["/usr/bin/tpm2", command, "--quiet", "--tcti", self._place, *words],
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable("The TPM does not answer.", hint=HINT) from error
        if done.returncode != 0:
            raise Unavailable(f"The TPM refuses: {_reason(done.stderr)}.", hint=HINT)


def _reason(said: str) -> str:
    lines = [line.removeprefix("ERROR:").strip() for line in said.splitlines() if line.strip()]
    answers = [line for line in lines if CODE in line]
    return (answers or lines or ["it does not say why"])[-1]
