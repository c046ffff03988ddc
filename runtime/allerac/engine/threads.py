"""With how many threads the engine computes, and on which processors."""

import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThreadPolicy:
    """Threads that write an answer and threads that read a prompt, as the profile has them."""

    decode: int
    prefill: int

    def limited(self, limit: int | None) -> tuple[int, int]:
        """Return both numbers, neither above `limit` nor below 1."""
        if limit is None:
            return self.decode, self.prefill
        return max(1, min(self.decode, limit)), max(1, min(self.prefill, limit))


def pin(processors: Collection[int]) -> None:
    """Keep this process, and the threads that it starts, on `processors`; none means anywhere.

    A number that this machine does not have is left out, and a system that forbids it is obeyed.
    """
    here = set(processors) & os.sched_getaffinity(0)
    if here:
        with suppress(OSError):
            os.sched_setaffinity(0, here)
