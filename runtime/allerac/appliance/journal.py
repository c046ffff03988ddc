"""The last lines that Allerac's services and their neighbours wrote: journalctl(1)."""

import asyncio
import shutil
from typing import Final

from allerac.errors import Unavailable

TIMEOUT_SECONDS: Final = 10.0
UNITS: Final = ("allerac*", "nginx.service", "rauc.service", "NetworkManager.service")
"""Not the whole system: what else runs on a machine is nobody's business here."""


async def read_journal(lines: int, timeout_seconds: float = TIMEOUT_SECONDS) -> list[str]:
    """Return the newest `lines` since the boot, the oldest first.

    Raises:
        Unavailable: there is no journal, or it is not ours to read.
    """
    program = shutil.which("journalctl")
    if program is None:
        raise Unavailable("This machine keeps no journal.")
    process = await asyncio.create_subprocess_exec(
        *(program, "--boot", "--no-pager", "--quiet", "--output=short-iso", f"--lines={lines}"),
        *(f"--unit={unit}" for unit in UNITS),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        told, _ = await asyncio.wait_for(process.communicate(), timeout_seconds)
    except TimeoutError:
        process.kill()
        await process.communicate()  # `wait` is for nobody whose output is full
        raise Unavailable("The journal does not answer.") from None
    if process.returncode != 0:
        raise Unavailable("The journal cannot be read.")
    return told.decode(errors="replace").splitlines()
