"""PNG: chunks (PNG specification, third edition, 5.3)."""

from typing import Final

from .damage import Damaged, Size, part

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
KEPT: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP sBIT pHYs bKGD acTL fcTL fdAT".split()
)
"""What is drawn; texts, times and Exif are not among them."""


def clean(data: bytes) -> tuple[bytes, Size]:
    """Return the picture with the chunks that are `KEPT`, and its size. Raises `Damaged`."""
    kept, place = [SIGNATURE], len(SIGNATURE)
    header = part(data, place, 25)
    if header[4:8] != b"IHDR":
        raise Damaged
    while True:
        length = int.from_bytes(part(data, place, 4))
        chunk = part(data, place, 12 + length)
        if chunk[4:8] in KEPT:
            kept.append(chunk)
        if chunk[4:8] == b"IEND":
            break
        place += len(chunk)
    return b"".join(kept), (int.from_bytes(header[8:12]), int.from_bytes(header[12:16]))
