"""How the box is: what is measured, what is wrong, what is done about it, and who is told."""

from .check import Check, Evidence, Finding, Fix, Severity, View, Words
from .checks import find_checks
from .figures import FIGURES
from .issues import Change, Issue, IssueBook
from .reactions import REACTIONS, Lever, Reaction, Reflexes, Underway
from .reserve import Reserve
from .service import HealthService, HealthStatus, Period
from .snapshot import (
    BackupFacts,
    BoxFacts,
    EngineFacts,
    Limits,
    Snapshot,
    Unit,
    UpdateFacts,
)

__all__ = [
    "FIGURES",
    "REACTIONS",
    "BackupFacts",
    "BoxFacts",
    "Change",
    "Check",
    "EngineFacts",
    "Evidence",
    "Finding",
    "Fix",
    "HealthService",
    "HealthStatus",
    "Issue",
    "IssueBook",
    "Lever",
    "Limits",
    "Period",
    "Reaction",
    "Reflexes",
    "Reserve",
    "Severity",
    "Snapshot",
    "Underway",
    "Unit",
    "UpdateFacts",
    "View",
    "Words",
    "find_checks",
]
