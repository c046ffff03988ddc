"""One append-only log per generation.

A follower names the last event that it has and gets exactly what comes after it, however often it
leaves and returns.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

EventKind = Literal["queued", "reading", "delta", "snapshot", "done", "error"]

TERMINAL_KINDS = frozenset({"done", "error"})

KEEP_SECONDS = 600.0
"""A phone that was in a pocket for ten minutes still resumes without asking the database."""

KEEP_LOGS = 256


@dataclass(frozen=True, slots=True)
class Event:
    """`sequence` counts from 1 within its generation; `data` is plain JSON."""

    sequence: int
    kind: EventKind
    data: Mapping[str, Any]


class EventLog:
    """The events of one generation. Belongs to one event loop."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._grown = asyncio.Event()

    @property
    def last_sequence(self) -> int:
        """Sequence of the newest event; 0 when there is none."""
        return len(self._events)

    @property
    def is_finished(self) -> bool:
        """True after `done` or `error`."""
        return bool(self._events) and self._events[-1].kind in TERMINAL_KINDS

    def append(self, kind: EventKind, data: Mapping[str, Any]) -> int:
        """Add an event and return its sequence. Raises `ValueError` after the terminal event."""
        if self.is_finished:
            raise ValueError("the log has ended")
        self._events.append(Event(len(self._events) + 1, kind, data))
        self._grown.set()
        self._grown = asyncio.Event()
        return len(self._events)

    async def follow(self, after: int = 0) -> AsyncIterator[Event]:
        """Yield every event with a sequence above `after`, waiting for new ones until the end."""
        position = max(after, 0)
        while True:
            grown = self._grown
            while position < len(self._events):
                event = self._events[position]
                position += 1
                yield event
            if self.is_finished:
                return
            await grown.wait()


class EventLogs:
    """The logs by generation; finished ones are kept for a while, then dropped."""

    def __init__(
        self,
        *,
        keep_seconds: float = KEEP_SECONDS,
        keep_logs: int = KEEP_LOGS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logs: dict[str, EventLog] = {}
        self._finished: OrderedDict[str, float] = OrderedDict()
        self._keep_seconds = keep_seconds
        self._keep_logs = keep_logs
        self._clock = clock

    def open(self, generation_id: str) -> EventLog:
        """Start the log of a new generation."""
        self._drop_old()
        log = self._logs[generation_id] = EventLog()
        return log

    def get(self, generation_id: str) -> EventLog | None:
        """Return the log, or None when it never was or is no longer kept."""
        self._drop_old()
        return self._logs.get(generation_id)

    def finish(self, generation_id: str) -> None:
        """Start the time for which a finished log is kept."""
        if generation_id in self._logs:
            self._finished[generation_id] = self._clock()

    def _drop_old(self) -> None:
        oldest = self._clock() - self._keep_seconds
        while self._finished:
            generation_id, finished_at = next(iter(self._finished.items()))
            if finished_at > oldest and len(self._finished) <= self._keep_logs:
                return
            del self._finished[generation_id]
            del self._logs[generation_id]
