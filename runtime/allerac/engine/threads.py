"""With how many threads the engine computes, and on which processors."""

import os
from collections.abc import Sequence
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


def pin(processors: Sequence[int], *, in_order: bool = False) -> None:
    """Keep this process, and the threads that it starts, on `processors`; none means anywhere.

    `in_order`: the first thread that computes has the first one for itself, and so on. libgomp
    reads that when llama.cpp is loaded, and gives a small team the places of a larger one's first
    threads (GOMP_CPU_AFFINITY in its manual; `gomp_team_start`, team.c).
    A number that this machine does not have is left out, and a system that forbids it is obeyed.
    """
    allowed = os.sched_getaffinity(0)
    here = [number for number in processors if number in allowed]
    is_bound = in_order and len(here) == len(processors)
    with suppress(OSError):  # forbidden here, it would be forbidden to libgomp too, and fatal
        os.sched_setaffinity(0, allowed if is_bound or not here else here)
        if here and is_bound:
            os.environ["GOMP_CPU_AFFINITY"] = " ".join(map(str, here))
