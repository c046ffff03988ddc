"""What a check is: something that may be wrong, as data."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from .history import History
from .snapshot import Snapshot

Severity = Literal["notice", "warning", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("notice", "warning", "critical")
"""Worth knowing; one thing to do; trouble. In order."""

LANGUAGES: Final = ("en", "de")
Evidence = Mapping[str, int | str]


@dataclass(frozen=True, slots=True)
class Words:
    """What a person reads; `{names}` are filled in from the evidence."""

    title: str
    meaning: str
    advice: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong now. `subject` tells apart several of a kind: a disk, a link, a model."""

    severity: Severity
    evidence: Evidence = field(default_factory=dict)
    subject: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What a check looks at: this moment, what was before, and which of its issues are open."""

    now: Snapshot
    history: History
    open_subjects: frozenset[str] = frozenset()

    def limit(self, enter: float, leave: float, subject: str = "") -> float:
        """Return the threshold: `enter` to open an issue, `leave` to keep one open."""
        return leave if subject in self.open_subjects else enter


@dataclass(frozen=True, slots=True)
class Fix:
    """What one click does: the name of an act that the box knows, and when it makes sense."""

    act: str
    label: Mapping[str, str]
    possible: Callable[[View, Finding], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check. `look` is a pure function and yields what is wrong.

    An issue opens when it was seen for `opens_after_seconds` on end and closes when it was not seen
    for `closes_after_seconds`. `page` is where in the application something can be done. One that
    `needs_time_of_day` is not asked while the clock is wrong: what it said before stands.
    """

    code: str
    words: Mapping[str, Words]
    look: Callable[[View], Iterator[Finding]]
    opens_after_seconds: float = 0.0
    closes_after_seconds: float = 60.0
    fix: Fix | None = None
    page: str | None = None
    needs_time_of_day: bool = False


def gigabytes(size_bytes: float) -> int:
    """Return whole gigabytes as a person counts them, at least 1 of anything."""
    whole = round(size_bytes / 1e9)
    return whole if whole or size_bytes <= 0 else 1
