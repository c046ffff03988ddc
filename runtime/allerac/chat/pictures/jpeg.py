"""JPEG: marker segments (ITU-T T.81, Annex B), of Exif only which way up it is."""

from typing import Final, Literal

from .damage import Damaged, Size, part

END, SCAN, EXIF = 0xD9, 0xDA, 0xE1
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
BARE: Final = frozenset((0x01, *range(0xD0, 0xD8)))
"""Markers without a length; those from D0 on stand within the data of a scan."""
KEPT_APPLICATIONS: Final = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
"""What says how the colours are meant. All other application segments and comments go."""
ORDERS: Final[dict[bytes, Literal["little", "big"]]] = {b"II*\0": "little", b"MM\0*": "big"}
ORIENTATION: Final = 0x0112
"""The tag of Exif (CIPA DC-008, 4.6.4) that says which side of the picture is up."""


def clean(data: bytes) -> tuple[bytes, Size]:
    """Return the picture up to its end, without what it tells of its maker, and its size."""
    kept, size, up = list[bytes](), None, 1
    place, marker = 2, 0
    while marker != END:
        place, marker = _marker(data, place)
        if marker in BARE or marker == END:
            kept.append(bytes((0xFF, marker)))
            continue
        segment = part(data, place, int.from_bytes(part(data, place, 2)))
        place += len(segment)
        if marker in FRAMES:
            size = int.from_bytes(part(segment, 5, 2)), int.from_bytes(part(segment, 3, 2))
        if marker == EXIF:
            up = _orientation(segment[2:]) or up
        if _is_kept(marker, segment[2:]):
            kept.append(bytes((0xFF, marker)) + segment)
        if marker == SCAN:
            end = _after_scan(data, place)
            kept.append(data[place:end])
            place = end
    if size is None:
        raise Damaged
    return b"\xff\xd8" + (_exif(up) if up != 1 else b"") + b"".join(kept), size


def _marker(data: bytes, place: int) -> tuple[int, int]:
    """Return where the next segment's length is, and its marker; fill bytes are passed over."""
    if part(data, place, 1) != b"\xff":
        raise Damaged
    while part(data, place, 1) == b"\xff":
        place += 1
    return place + 1, data[place]


def _is_kept(marker: int, body: bytes) -> bool:
    if 0xE0 <= marker <= 0xEF:
        return marker in KEPT_APPLICATIONS and body.startswith(KEPT_APPLICATIONS[marker])
    return marker != 0xFE


def _after_scan(data: bytes, place: int) -> int:
    """Return where the coded data of a scan ends: at a marker other than a restart."""
    while (place := data.find(b"\xff", place)) >= 0:
        following = part(data, place + 1, 1)[0]
        if following and following != 0xFF and following not in BARE:
            return place
        place += 1 if following == 0xFF else 2
    raise Damaged


def _orientation(body: bytes) -> int | None:
    """Return 1 to 8 as the first directory of Exif says, None where it says nothing."""
    if not body.startswith(b"Exif\0\0"):
        return None
    tiff = body[6:]
    order = ORDERS.get(tiff[:4])
    if order is None:
        return None

    def number(start: int, length: int) -> int:
        return int.from_bytes(tiff[start : start + length], order)

    first = number(4, 4)
    for entry in range(first + 2, first + 2 + 12 * min(number(first, 2), 200), 12):
        if number(entry, 2) == ORIENTATION:
            value = number(entry + 8, 2)
            return value if 1 <= value <= 8 else None
    return None


def _exif(up: int) -> bytes:
    """Return an Exif segment that says nothing but which side is up."""
    entry = b"".join(n.to_bytes(size) for n, size in ((ORIENTATION, 2), (3, 2), (1, 4), (up, 2)))
    directory = (1).to_bytes(2) + entry + bytes(2) + bytes(4)
    body = b"Exif\0\0MM\0*" + (8).to_bytes(4) + directory
    return bytes((0xFF, EXIF)) + (len(body) + 2).to_bytes(2) + body
