"""Issues as they are kept on the disk, and as they come back."""

from collections.abc import Sequence

from allerac.storage.device_history import StoredIssue

from .check import Check, Finding, Severity
from .issues import Issue


def row_of(issue: Issue) -> StoredIssue:
    """Return what is kept of an issue: its check is only named, and it is as bad as it ever was."""
    return StoredIssue(
        id=issue.id,
        code=issue.check.code,
        subject=issue.finding.subject,
        severity=issue.worst,
        evidence=issue.finding.evidence,
        first_seen_at=issue.first_seen_at,
        last_seen_at=issue.last_seen_at,
        ended_at=issue.ended_at,
    )


def issue_of(row: StoredIssue, checks: Sequence[Check]) -> Issue | None:
    """Return the issue; None where its check is none of `checks` any more."""
    check = next((check for check in checks if check.code == row.code), None)
    if check is None:
        return None
    severity: Severity = row.severity  # type: ignore[assignment]  # written by us
    finding = Finding(severity, row.evidence, row.subject)
    return Issue(row.id, check, finding, row.first_seen_at, row.last_seen_at, row.ended_at)
