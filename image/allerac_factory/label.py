"""What is printed on a unit, and what its code says when it is scanned."""

import re
from dataclasses import dataclass

from reportlab.pdfbase.pdfmetrics import stringWidth

from .identity import Identity

FINGERPRINT_SIGNS = 32
"""Of the device key's SHA-256: 128 bits, which nobody finds a second key for."""


@dataclass(frozen=True, slots=True)
class Label:
    """The facts of one label; `mac` is empty until the unit was started once."""

    product: str
    tier: str
    identity: Identity
    mac: str = ""

    @property
    def scanned(self) -> str:
        """What the code says: the box's address; what follows # a browser keeps to itself."""
        key = self.identity.fingerprint[:FINGERPRINT_SIGNS]
        return f"{self.identity.address}/#code={self.identity.claim_code}&key={key}"

    @staticmethod
    def code_in(scanned: str) -> str:
        """Return the claim code in a scanned text, empty when there is none."""
        found = re.search(r"#code=([A-Z2-9]+)&", scanned)
        return found[1] if found else ""

    @property
    def advice(self) -> tuple[str, str, str]:
        """What the lines above the claim code tell whoever has unpacked the box."""
        address = self.identity.address.removeprefix("https://")
        return "Make it yours: scan this, or open", address, "and type"

    @property
    def lines(self) -> tuple[tuple[str, str], ...]:
        """Name and value of the small lines, the longest last."""
        facts = (("MAC", self.mac), ("Model", self.tier.upper()), ("Serial", self.identity.serial))
        return tuple((name, value) for name, value in facts if value)


def fitting(text: str, font: str, size: float, width: float) -> float:
    """Return the largest size up to `size` at which `text` is no wider than `width`, same unit."""
    return min(size, width / float(stringWidth(text, font, 1)))
