"""The C library's memory allocator."""

import ctypes
from typing import Final

M_MMAP_THRESHOLD: Final = -3
"""`mallopt`'s number of the option. Source: glibc, malloc.h."""

LARGE_BYTES: Final = 1024 * 1024
"""From here on a buffer has pages of its own; a password's hash takes 19 MiB."""


def give_large_buffers_back() -> None:
    """Have the process return each buffer of a mebibyte or more as soon as it is freed.

    glibc takes such pages from the system at first, but from the first one freed on keeps buffers
    up to that size, in an arena for each thread: two sign-ins would leave the box 40 MB larger for
    good. Setting the threshold switches that off. Where there is no `mallopt`, nothing happens.
    Source: mallopt(3), M_MMAP_THRESHOLD.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(M_MMAP_THRESHOLD, LARGE_BYTES)
