"""GIF: blocks (GIF89a specification, 17 to 27)."""

from typing import Final

from .damage import Damaged, Size, part

EXTENSION, PICTURE, TRAILER = 0x21, 0x2C, 0x3B
GRAPHIC_CONTROL, APPLICATION = 0xF9, 0xFF
LOOPS: Final = frozenset((b"NETSCAPE2.0", b"ANIMEXTS1.0"))
"""Applications that say how often it is played; others carry what is said of the picture."""


def clean(data: bytes) -> tuple[bytes, Size]:
    """Return the picture without comments, texts and what programs left, and its size."""
    screen = part(data, 0, 13)
    place = 13 + _colours(screen[10])
    kept = [part(data, 0, place)]
    while (begins := part(data, place, 1)[0]) != TRAILER:
        if begins == EXTENSION:
            end = _after_blocks(data, place + 2)
            if _is_kept(data, place):
                kept.append(data[place:end])
        elif begins == PICTURE:
            end = _after_blocks(data, place + 11 + _colours(part(data, place, 10)[9]))
            kept.append(data[place:end])
        else:
            raise Damaged
        place = end
    size = int.from_bytes(screen[6:8], "little"), int.from_bytes(screen[8:10], "little")
    return b"".join([*kept, bytes([TRAILER])]), size


def _colours(flags: int) -> int:
    """Return the bytes of a colour table, from the flags of a screen or picture."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _is_kept(data: bytes, place: int) -> bool:
    label = part(data, place, 2)[1]
    if label == APPLICATION:
        return data[place + 3 : place + 14] in LOOPS
    return label == GRAPHIC_CONTROL


def _after_blocks(data: bytes, place: int) -> int:
    while length := part(data, place, 1)[0]:
        place += 1 + length
    return place + 1
