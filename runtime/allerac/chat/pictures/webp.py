"""WebP: RIFF chunks (RFC 9649, 2)."""

from typing import Final

from .damage import Damaged, Size, part

DROPPED: Final = frozenset((b"EXIF", b"XMP "))
EXTENDED_FLAGS: Final = 0xFF & ~(0x08 | 0x04)
"""All flags of a VP8X chunk without those of Exif and XMP (RFC 9649, 2.7)."""


def clean(data: bytes) -> tuple[bytes, Size]:
    """Return the picture without Exif and XMP, and its size. Raises `Damaged`."""
    end = 8 + int.from_bytes(part(data, 4, 4), "little")
    kept, place, size = list[bytes](), 12, None
    while place < end:
        length = int.from_bytes(part(data, place + 4, 4), "little")
        chunk = part(data, place, 8 + length) + b"\0" * (length % 2)
        place += len(chunk)
        name = chunk[:4]
        size = size or _size(name, chunk[8:])
        if name == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & EXTENDED_FLAGS]) + chunk[9:]
        if name not in DROPPED:
            kept.append(chunk)
    if size is None:
        raise Damaged
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + len(body).to_bytes(4, "little") + body, size


def _size(name: bytes, body: bytes) -> Size | None:
    if name == b"VP8X":
        width, height = part(body, 4, 3), part(body, 7, 3)
        return 1 + int.from_bytes(width, "little"), 1 + int.from_bytes(height, "little")
    if name == b"VP8L":
        bits = int.from_bytes(part(body, 1, 4), "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if name == b"VP8 ":  # RFC 6386, 9.1: 14 bits each, after the start code
        both = part(body, 6, 4)
        width, height = both[:2], both[2:]
        return (
            int.from_bytes(width, "little") & 0x3FFF,
            int.from_bytes(height, "little") & 0x3FFF,
        )
    return None
