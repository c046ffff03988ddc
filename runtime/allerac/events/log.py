"""One append-only log per generation.

A follower names the last event that it has and gets exactly what comes after it, however often it
leaves and returns. A log keeps its newest events and the text of all others: whoever is further
behind gets that text as one `snapshot`, which takes the place of what they have, then the rest.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

EventKind = Literal["queued", "sources", "reading", "delta", "snapshot", "done", "error"]

TERMINAL_KINDS = frozenset({"done", "error"})

KEEP_SECONDS = 600.0
"""A phone that was in a pocket for ten minutes still resumes without asking the database."""

KEEP_LOGS = 256

KEEP_EVENTS = 1024
"""Half a minute of a fast model; a follower that reads along is never further behind."""


@dataclass(frozen=True, slots=True)
class Event:
    """`sequence` counts from 1 within its generation; `data` is plain JSON."""

    sequence: int
    kind: EventKind
    data: Mapping[str, Any]


class EventLog:
    """The events of one generation. Belongs to one event loop."""

    def __init__(self, *, keep_events: int = KEEP_EVENTS) -> None:
        self._keep_events = keep_events
        self._events: list[Event] = []
        self._dropped = 0
        self._dropped_text = ""
        self._grown = asyncio.Event()

    @property
    def last_sequence(self) -> int:
        """Sequence of the newest event; 0 when there is none."""
        return self._dropped + len(self._events)

    @property
    def is_finished(self) -> bool:
        """True after `done` or `error`."""
        return bool(self._events) and self._events[-1].kind in TERMINAL_KINDS

    def append(self, kind: EventKind, data: Mapping[str, Any]) -> int:
        """Add an event and return its sequence. Raises `ValueError` after the terminal event."""
        if self.is_finished:
            raise ValueError("the log has ended")
        self._events.append(Event(self.last_sequence + 1, kind, data))
        if len(self._events) > self._keep_events:
            self._drop_oldest()
        self._grown.set()
        self._grown = asyncio.Event()
        return self.last_sequence

    async def follow(self, after: int = 0) -> AsyncIterator[Event]:
        """Yield what comes after the event `after`, waiting for more until the end.

        Every event that is kept comes once and in order; a `snapshot` stands for those before.
        """
        position = max(after, 0)
        while True:
            grown = self._grown
            while position < self.last_sequence:
                event = self._following(position)
                position = event.sequence
                yield event
            if self.is_finished:
                return
            await grown.wait()

    def _following(self, position: int) -> Event:
        if position < self._dropped:
            return Event(self._dropped, "snapshot", {"text": self._dropped_text})
        return self._events[position - self._dropped]

    def _drop_oldest(self) -> None:
        """Drop the older half at once, so that the text is not copied for every event."""
        count = len(self._events) - max(self._keep_events // 2, 1)
        old, self._events = self._events[:count], self._events[count:]
        self._dropped += count
        self._dropped_text += "".join(e.data["text"] for e in old if e.kind == "delta")


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
