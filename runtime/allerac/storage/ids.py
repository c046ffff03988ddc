"""Ids that sort by time: UUIDv7 (RFC 9562, section 5.7)."""

import secrets
import threading
import time
import uuid

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Return a UUIDv7 as text, larger than every one made before it in this process.

    The 12 bits after the version count within one millisecond (RFC 9562, section 6.2, method 1).
    """
    global _last
    with _lock:
        ticks = max((time.time_ns() // 1_000_000) << 12, _last + 1)
        _last = ticks
    milliseconds, count = ticks >> 12, ticks & 0xFFF
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | count << 64 | 0b10 << 62
    return str(uuid.UUID(int=value | secrets.randbits(62)))
