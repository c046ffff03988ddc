"""Issues: opened when a check has seen something long enough, closed when it no longer does."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

import structlog

from .check import LANGUAGES, SEVERITIES, Check, Finding, Severity, View, Words
from .history import History
from .snapshot import Snapshot

log = structlog.get_logger()

Key = tuple[str, str]
Kind = Literal["opened", "worse", "recovered"]


@dataclass(frozen=True, slots=True)
class Issue:
    """Something wrong with the box; `ended_at` is None while it lasts.

    `finding` is how it is now, `before` the worst that it was before that.
    """

    id: str
    check: Check
    finding: Finding
    first_seen_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None = None
    before: Severity = SEVERITIES[0]

    @property
    def key(self) -> Key:
        """What it is about; at most one with this key is open."""
        return self.check.code, self.finding.subject

    @property
    def rank(self) -> int:
        """How bad it is, from 0."""
        return SEVERITIES.index(self.finding.severity)

    @property
    def worst(self) -> Severity:
        """How bad it has been: what swings around a threshold worsens once."""
        return SEVERITIES[max(self.rank, SEVERITIES.index(self.before))]

    def words(self, language: str) -> Words:
        """Return what a person reads in `language`."""
        words = self.check.words[language if language in LANGUAGES else LANGUAGES[0]]
        evidence = self.finding.evidence
        return Words(
            words.title.format_map(evidence),
            words.meaning.format_map(evidence),
            words.advice.format_map(evidence),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What has just happened to an issue."""

    kind: Kind
    issue: Issue


@dataclass(slots=True)
class IssueBook:
    """All issues that are open. `judge` is given one moment after the other."""

    checks: Sequence[Check]
    new_id: Callable[[], str]
    _open: dict[Key, Issue] = field(default_factory=dict)
    _seen_since: dict[Key, float] = field(default_factory=dict)
    _missed_since: dict[Key, float] = field(default_factory=dict)

    def restore(self, issues: Iterable[Issue]) -> None:
        """Take over issues that were open when the box was switched off."""
        self._open |= {issue.key: issue for issue in issues}

    @property
    def open(self) -> list[Issue]:
        """What is wrong now, the worst first, then the newest."""
        newest = sorted(self._open.values(), key=lambda i: i.first_seen_at, reverse=True)
        return sorted(newest, key=lambda issue: -issue.rank)

    @property
    def severity(self) -> Severity | None:
        """Return the worst there is; None when all is well."""
        worst = max((issue.rank for issue in self._open.values()), default=None)
        return None if worst is None else SEVERITIES[worst]

    def judge(self, now: Snapshot, history: History) -> list[Change]:
        """Look with every check; return what has changed."""
        changes: list[Change] = []
        for check in self.checks:
            if check.needs_time_of_day and now.clock_is_wrong:
                continue
            found = {finding.subject: finding for finding in self._look(check, now, history)}
            changes += self._see(check, found, now)
            changes += self._miss(check, found, now)
        return changes

    def _look(self, check: Check, now: Snapshot, history: History) -> list[Finding]:
        subjects = frozenset(subject for code, subject in self._open if code == check.code)
        try:
            return list(check.look(View(now, history, subjects)))
        except Exception:  # one check that is wrong must not blind the others
            log.exception("check_failed", check=check.code)
            return [issue.finding for issue in self._open.values() if issue.check is check]

    def _see(self, check: Check, found: dict[str, Finding], now: Snapshot) -> list[Change]:
        changes = []
        for subject, finding in found.items():
            key = (check.code, subject)
            self._missed_since.pop(key, None)
            before = self._open.get(key)
            if before is None:
                since = self._seen_since.setdefault(key, now.steady)
                if now.steady - since < check.opens_after_seconds:
                    continue
                issue = Issue(self.new_id(), check, finding, now.at, now.at)
                changes.append(Change("opened", issue))
            else:
                issue = replace(before, finding=finding, last_seen_at=now.at, before=before.worst)
                if issue.worst != before.worst:
                    changes.append(Change("worse", issue))
            self._open[key] = issue
        for key in [k for k in self._seen_since if k[0] == check.code and k[1] not in found]:
            del self._seen_since[key]
        return changes

    def _miss(self, check: Check, found: dict[str, Finding], now: Snapshot) -> list[Change]:
        changes = []
        for key in [k for k in self._open if k[0] == check.code and k[1] not in found]:
            since = self._missed_since.setdefault(key, now.steady)
            if now.steady - since >= check.closes_after_seconds:
                del self._missed_since[key]
                self._seen_since.pop(key, None)
                ended = replace(self._open.pop(key), ended_at=now.at)
                changes.append(Change("recovered", ended))
        return changes
