"""What the readers of pictures share: a size, and that one cannot be read."""

Size = tuple[int, int]
"""Width and height in pixels."""


class Damaged(Exception):  # noqa: N818 - reads as what happened
    """The bytes end too early, or are not what their beginning says."""


def part(data: bytes, start: int, length: int) -> bytes:
    """Return exactly `length` bytes. Raises `Damaged` where there are fewer."""
    found = data[start : start + length]
    if len(found) != length:
        raise Damaged
    return found
