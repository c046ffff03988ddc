"""How the box is: what is measured, what is wrong, what is done about it, and who is told."""

from .answers import AnswerWatch
from .check import Check, Evidence, Finding, Fix, Severity, View, Words
from .checks import find_checks
from .events import Event
from .figures import FIGURES
from .issues import Change, Issue, IssueBook
from .metrics import CONTENT_TYPE, Metrics
from .reactions import REACTIONS, Lever, Reaction, Reflexes, Underway
from .reserve import Reserve
from .service import Act, HealthService, HealthStatus, Listener, Period
from .snapshot import (
    BackupFacts,
    BoxFacts,
    EngineFacts,
    Limits,
    Snapshot,
    Unit,
    UpdateFacts,
)
from .speed import SpeedBook

__all__ = [
    "CONTENT_TYPE",
    "FIGURES",
    "REACTIONS",
    "Act",
    "AnswerWatch",
    "BackupFacts",
    "BoxFacts",
    "Change",
    "Check",
    "EngineFacts",
    "Event",
    "Evidence",
    "Finding",
    "Fix",
    "HealthService",
    "HealthStatus",
    "Issue",
    "IssueBook",
    "Lever",
    "Limits",
    "Listener",
    "Metrics",
    "Period",
    "Reaction",
    "Reflexes",
    "Reserve",
    "Severity",
    "Snapshot",
    "SpeedBook",
    "Underway",
    "Unit",
    "UpdateFacts",
    "View",
    "Words",
    "find_checks",
]
