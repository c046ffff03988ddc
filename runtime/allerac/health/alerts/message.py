"""What an alert says."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from allerac.health.check import Severity
from allerac.health.issues import Change

Occasion = Literal["opened", "worse", "recovered", "test"]

_RECOVERED: Final = {"en": "It is over", "de": "Es ist vorbei"}
_WORSE: Final = {"en": "It has become worse", "de": "Es ist schlimmer geworden"}
_TIME: Final = {"en": "%Y-%m-%d, %H:%M", "de": "%d.%m.%Y, %H:%M Uhr"}
_SINCE: Final = {"en": "Since {begin}.", "de": "Seit {begin}."}
_LASTED: Final = {"en": "From {begin} to {end}.", "de": "Von {begin} bis {end}."}
_TEST: Final = {
    "en": ("This is a test.", "Alerts from your box reach you here."),
    "de": ("Das ist ein Test.", "Meldungen deiner Box kommen hier an."),
}


@dataclass(frozen=True, slots=True)
class Alert:
    """One message, in the language of who gets it; `at` is when it began, or was over."""

    occasion: Occasion
    code: str
    severity: Severity
    box: str
    title: str
    text: str
    at: datetime

    @property
    def subject(self) -> str:
        """Return the box's name and what it is about, on one line."""
        return " ".join(f"{self.box}: {self.title}".split())


def alert_of(change: Change, *, box: str, language: str, zone: ZoneInfo) -> Alert:
    """Return the alert about a change; it says when that was, for it may be late."""
    issue = change.issue
    words = issue.words(language)
    begin, end = (
        moment.astimezone(zone).strftime(_TIME[language])
        for moment in (issue.first_seen_at, issue.ended_at or issue.last_seen_at)
    )
    title = words.title
    text = f"{words.meaning} {words.advice}\n\n{_SINCE[language].format(begin=begin)}"
    if change.kind == "recovered":
        title = f"{_RECOVERED[language]}: {words.title}"
        text = _LASTED[language].format(begin=begin, end=end)
    elif change.kind == "worse":
        title = f"{_WORSE[language]}: {words.title}"
    at = issue.ended_at or issue.first_seen_at
    return Alert(change.kind, issue.check.code, issue.finding.severity, box, title, text, at)


def trial_alert(*, box: str, language: str, at: datetime) -> Alert:
    """Return the alert of the test button."""
    title, text = _TEST[language]
    return Alert("test", "test", "notice", box, title, text, at)
