"""Where the certificate is kept: on the unit, for good."""

import json
from pathlib import Path
from typing import Final

from allerac.appliance.files import replace_file

from .certificate import Certificate, content_of
from .device_key import DeviceKey, settle

NAME: Final = "birth-certificate.json"
FLAG: Final = "factory-mode"
TIER: Final = "tier"
FLASH_ID: Final = "flash-id"
READABLE: Final = 0o644


def is_factory_mode(identity: Path | None) -> bool:
    """Tell whether the unit has yet to pass its burn-in."""
    return identity is not None and (identity / FLAG).exists()


class Keeper:
    """Writes to the identity partition, which must be writable."""

    def __init__(self, identity: Path) -> None:
        self.identity = identity

    def tier(self) -> str | None:
        """Return the tier the unit was made as, None when nobody said. Raises OSError."""
        return self._fact(TIER)

    def flash_id(self) -> str | None:
        """Return which writing of the drive this is, None when nobody said. Raises OSError."""
        return self._fact(FLASH_ID)

    def attempt(self) -> int:
        """Return which burn-in since its drive was written this is, from 1. Raises OSError.

        Later certificates are known by it: the clock of a unit may be wrong.
        """
        try:
            kept = json.loads((self.identity / NAME).read_bytes())
            return int(kept["certificate"]["attempt"]) + 1
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return 1

    def _fact(self, name: str) -> str | None:
        try:
            return (self.identity / name).read_text("ascii", errors="replace").strip()
        except FileNotFoundError:
            return None

    def keep(self, document: Certificate, key: DeviceKey) -> None:
        """Keep the certificate that `key` signed; a unit that passed leaves factory mode, and its
        key is settled. Raises OSError.
        """
        replace_file(self.identity / NAME, content_of(document), READABLE)
        if document["certificate"]["passed"]:
            settle(self.identity, key)
            (self.identity / FLAG).unlink(missing_ok=True)
