"""What happens while an answer is made, as append-only logs that anyone may follow."""

from .log import TERMINAL_KINDS, Event, EventKind, EventLog, EventLogs
from .ticks import with_ticks

__all__ = ["TERMINAL_KINDS", "Event", "EventKind", "EventLog", "EventLogs", "with_ticks"]
