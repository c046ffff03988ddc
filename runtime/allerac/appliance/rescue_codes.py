"""The codes that open the rescue page, as it reads them when nothing else works.

One line for each: `label` or `owner`, a colon, `scrypt$<n>$<r>$<p>$<salt>$<hash>`, both in base64.
The rescue page has the standard library only, hence scrypt (RFC 7914) with the parameters of
OWASP's Password Storage Cheat Sheet and not Argon2id.
"""

import asyncio
import base64
import hashlib
import os
from pathlib import Path
from typing import Final, Literal

import structlog

from allerac.appliance.files import replace_file

log = structlog.get_logger()

Holder = Literal["label", "owner"]

COST: Final = 2**15
BLOCK: Final = 8
PARALLEL: Final = 3
MEMORY_BYTES: Final = 64 * 2**20
FILE_NAME: Final = "codes"


class RescueCodes:
    """Keeps the hashes in `folder`; without one, as on a developer's machine, nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    async def keep(self, holder: Holder, code: str) -> None:
        """Keep a code, normalised, in place of the holder's former one."""
        await asyncio.to_thread(self.keep_now, holder, code)

    def keep_now(self, holder: Holder, code: str) -> None:
        """Do so while the caller waits: a tenth of a second, and 32 MiB."""
        if self._folder is None or not self._folder.is_dir():
            return
        path = self._folder / FILE_NAME
        try:
            lines = path.read_text().splitlines() if path.exists() else []
            others = [line for line in lines if not line.startswith(f"{holder}:")]
            text = "".join(f"{line}\n" for line in [*others, f"{holder}:{_hash(code)}"])
            replace_file(path, text.encode(), 0o640)
        except OSError as error:  # a box that cannot keep it is claimed all the same
            log.warning("rescue_code_not_kept", holder=holder, reason=error.strerror)


def _hash(code: str) -> str:
    salt = os.urandom(16)
    digest = hashlib.scrypt(
        code.encode(), salt=salt, n=COST, r=BLOCK, p=PARALLEL, maxmem=MEMORY_BYTES, dklen=32
    )
    told = [base64.b64encode(part).decode() for part in (salt, digest)]
    return "$".join(["scrypt", str(COST), str(BLOCK), str(PARALLEL), *told])
