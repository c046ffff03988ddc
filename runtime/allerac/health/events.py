"""What happened in a span of time, as charts draw it over the figures."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from allerac.storage.device_history import StoredReaction

from .check import LANGUAGES, Severity
from .issues import Issue
from .reactions import REACTIONS


@dataclass(frozen=True, slots=True)
class Event:
    """An issue, or what the box did by itself, which has no severity; `end` None while it lasts."""

    kind: Literal["issue", "reaction"]
    code: str
    severity: Severity | None
    words: Mapping[str, str]
    begin: datetime
    end: datetime | None


def events_of(issues: Iterable[Issue], reactions: Iterable[StoredReaction]) -> list[Event]:
    """Return all of them, the newest first; reactions that the box no longer knows are left out."""
    found = [*map(_of_issue, issues), *_of_reactions(reactions)]
    return sorted(found, key=lambda event: event.begin, reverse=True)


def _of_issue(issue: Issue) -> Event:
    words = {language: issue.words(language).title for language in LANGUAGES}
    code = issue.check.code
    return Event("issue", code, issue.worst, words, issue.first_seen_at, issue.ended_at)


def _of_reactions(reactions: Iterable[StoredReaction]) -> Iterator[Event]:
    words = {reaction.code: reaction.words for reaction in REACTIONS}
    for one in reactions:
        if one.code in words:
            yield Event("reaction", one.code, None, words[one.code], one.began_at, one.ended_at)
