"""Health of the box: figures, issues, what is done about them, and who is told."""

from dataclasses import asdict
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from allerac.health import Event, Underway
from allerac.health import Issue as HealthIssue
from allerac.health.check import LANGUAGES

from .shapes import Language, Request, Response, Timestamp

Severity = Literal["notice", "warning", "critical"]
Channel = Literal["mail", "webhook", "ntfy"]
Hour = Annotated[int, Field(ge=0, le=23)]
Text = Annotated[str, Field(min_length=1, max_length=256)]
Address = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^@\s<>\"]+@[^@\s<>\"]+$")]
HttpAddress = Annotated[str, Field(max_length=2048, pattern=r"^https?://[^\s]+$")]
Secret = Annotated[str, Field(max_length=2048)]


class IssueWords(Response):
    """What a person reads: what it is, what it means, what to do."""

    title: str
    meaning: str
    advice: str


class IssueFix(Response):
    """What one click does, by language."""

    label: dict[Language, str]


class Issue(Response):
    """Something wrong; `words` are by language, `page` is where something can be done.

    `fix` is null where the box cannot help itself, or not now.
    """

    id: str
    code: str
    subject: str
    severity: Severity
    words: dict[Language, IssueWords]
    evidence: dict[str, int | str]
    page: str | None
    fix: IssueFix | None
    first_seen_at: Timestamp
    last_seen_at: Timestamp
    ended_at: Timestamp | None

    @classmethod
    def of(cls, issue: HealthIssue, *, fixable: bool) -> Self:
        """Return how `issue` is told."""
        fix = issue.check.fix if fixable else None
        return cls(
            id=issue.id,
            code=issue.check.code,
            subject=issue.finding.subject,
            severity=issue.finding.severity,
            words={name: IssueWords.model_validate(issue.words(name)) for name in LANGUAGES},
            evidence=dict(issue.finding.evidence),
            page=issue.check.page,
            fix=IssueFix.model_validate({"label": fix.label}) if fix else None,
            first_seen_at=issue.first_seen_at,
            last_seen_at=issue.last_seen_at,
            ended_at=issue.ended_at,
        )


class Reaction(Response):
    """What the box does by itself, in words by language."""

    code: str
    words: dict[Language, str]
    since: Timestamp

    @classmethod
    def of(cls, underway: Underway) -> Self:
        """Return how `underway` is told."""
        reaction = underway.reaction
        told = {"code": reaction.code, "words": reaction.words, "since": underway.since}
        return cls.model_validate(told)


class Health(Response):
    """`severity` is the worst of the issues, null when all is well; figures have units in names."""

    at: Timestamp | None
    severity: Severity | None
    figures: dict[str, float]
    totals: dict[str, int]
    issues: list[Issue]
    reactions: list[Reaction]


class IssueHistory(Response):
    items: list[Issue]


class SupportSection(Response):
    """Lines under a heading; `name` says which."""

    name: str
    lines: list[str]


class SupportReport(Response):
    """What a helper may see: every line of it, nothing else leaves with it."""

    made_at: Timestamp
    sections: list[SupportSection]


class HealthEvent(Response):
    """What was wrong, or what the box did by itself, which has no severity; `words` by language.

    `end` is null while it lasts; `begin` may be before the series.
    """

    kind: Literal["issue", "reaction"]
    code: str
    severity: Severity | None
    words: dict[Language, str]
    begin: Timestamp
    end: Timestamp | None

    @classmethod
    def of(cls, event: Event) -> Self:
        """Return how `event` is told."""
        return cls.model_validate(asdict(event))


class HealthSeries(Response):
    """Means over `step_seconds`, in equal steps; a value is null where there was none.

    `events` are those of the period, the newest first.
    """

    period: Literal["hour", "day", "month"]
    step_seconds: int
    at: list[AwareDatetime]
    figures: dict[str, list[float | None]]
    events: list[HealthEvent]


class QuietHours(Response):
    begin: Hour
    end: Hour


class Recipient(Response):
    """Who gets mail; `language` null is that of the household."""

    address: str
    language: Language | None


class MailSettings(Response):
    """`has_password` tells that one is kept; it is never shown."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    username: str
    has_password: bool
    sender: str
    recipients: list[Recipient]


class WebhookSettings(Response):
    """The address is a secret: only its host is shown."""

    host: str
    form: Literal["generic", "slack", "discord"]
    language: Language | None


class NtfySettings(Response):
    server: str
    topic: str
    has_token: bool
    language: Language | None


class Alerts(Response):
    """What is null is switched off. `problems` say why a channel did not take the last alert."""

    least: Severity
    quiet: QuietHours | None
    mail: MailSettings | None
    webhook: WebhookSettings | None
    ntfy: NtfySettings | None
    problems: dict[Channel, str]


class ChangeRecipient(Request):
    """Who gets mail; without `language` in that of the household."""

    address: Address
    language: Language | None = None


class ChangeMail(Request):
    """Without `password` the one that is kept stays."""

    host: Text
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: Annotated[str, Field(max_length=256)] = ""
    password: Secret | None = None
    sender: Address
    recipients: Annotated[list[ChangeRecipient], Field(min_length=1, max_length=10)]


class ChangeWebhook(Request):
    """Without `url` the one that is kept stays."""

    url: HttpAddress | None = None
    form: Literal["generic", "slack", "discord"] = "generic"
    language: Language | None = None


class ChangeNtfy(Request):
    """Without `token` the one that is kept stays."""

    server: HttpAddress = "https://ntfy.sh"
    topic: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    token: Secret | None = None
    language: Language | None = None


class ChangeQuietHours(Request):
    begin: Hour
    end: Hour


class ChangeAlerts(Request):
    """All settings at once; what is null is switched off."""

    least: Severity
    quiet: ChangeQuietHours | None
    mail: ChangeMail | None
    webhook: ChangeWebhook | None
    ntfy: ChangeNtfy | None

    @model_validator(mode="after")
    def _no_secret_unprotected(self) -> Self:
        if self.mail and self.mail.security == "none" and self.mail.password:
            raise ValueError("A password needs a protected connection.")
        return self


class TryAlert(Request):
    channel: Channel
