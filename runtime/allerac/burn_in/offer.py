"""The birth certificate on the network, for the station that collects it.

The burn-in leaves it in a folder that is gone when the unit is switched off, and with it the offer:
a unit that has left the factory tells nobody on a home's network what it was.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog

from allerac.appliance.files import replace_file
from allerac.errors import NotFound

from .certificate import Certificate, content_of

log = structlog.get_logger()

READABLE: Final = 0o644
LARGEST_BYTES: Final = 1 << 20
"""A certificate has a few thousand; whatever is larger is none."""


def offer(document: Certificate, file: Path) -> bool:
    """Leave a certificate for the runtime to hand out; tell whether that could be done."""
    try:
        replace_file(file, content_of(document), READABLE)
    except OSError as error:
        log.warning("certificate_not_offered", reason=error.strerror)
        return False
    return True


class CertificateOffer:
    """Hands out the certificate in `file`, if there is one, as long as the box is nobody's."""

    def __init__(self, file: Path | None, is_claimed: Callable[[], Awaitable[bool]]) -> None:
        self._file = file
        self._is_claimed = is_claimed

    async def content(self) -> bytes:
        """Return the certificate as JSON. Raises `NotFound` when none is offered."""
        if self._file is None or await self._is_claimed():
            raise _nothing()
        try:
            with self._file.open("rb") as file:
                return file.read(LARGEST_BYTES)
        except OSError as error:
            raise _nothing() from error


def _nothing() -> NotFound:
    return NotFound(
        "This box offers no birth certificate.",
        hint="A unit does after its burn-in, until it is switched off or claimed.",
    )
