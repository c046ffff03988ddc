"""Whether the loop gets on: a heart that beats for one that is stuck would hide it."""

import resource
from collections.abc import Callable


def pages_brought() -> int:
    """How often this process has waited for the disk to bring a page (getrusage(2))."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_majflt


class Movement:
    """Called at each beat; False while the loop is inside the same step as at the beat before.

    Nothing to do counts as moving, and so does a step that waits for the disk: weights that were
    mapped and pushed out of memory take as long to come back as they took to be loaded.
    """

    def __init__(
        self,
        *,
        is_idle: Callable[[], bool],
        steps: Callable[[], int],
        pages: Callable[[], int] = pages_brought,
    ) -> None:
        self._is_idle = is_idle
        self._steps = steps
        self._pages = pages
        self._seen = (-1, -1)

    def __call__(self) -> bool:
        before, self._seen = self._seen, (self._steps(), self._pages())
        return self._is_idle() or self._seen != before
