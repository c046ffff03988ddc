"""What the household chose about alerts, in a file of its own.

Not in the database: the alert that the database is damaged must find its address. Passwords,
tokens and webhook addresses, which are secrets too, are sealed.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from allerac.appliance.files import replace_file
from allerac.errors import SecretLost, StorageUnavailable
from allerac.health.check import Severity

log = structlog.get_logger()

MODE = 0o600

Language = Literal["en", "de"]
"""Where one may be chosen, None is that of the household."""


class Sealer(Protocol):
    """`allerac.appliance.secret_box.SecretBox`."""

    def seal(self, secret: str, purpose: str) -> str:
        """Return it unreadable. Raises OSError."""

    def open(self, sealed: str, purpose: str) -> str:
        """Return the secret. Raises `SecretLost`."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Mail(_Part):
    """A mail server and who gets mail from it; without a `username` it asks for none.

    Who reads another language than the household is one of `languages`.
    """

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: str = ""
    sender: str
    recipients: tuple[str, ...]
    languages: Mapping[str, Language] = Field(default_factory=dict)

    def readers(self) -> Mapping[Language | None, "Mail"]:
        """Return the same with the recipients of one language each."""
        spoken: dict[Language | None, list[str]] = {}
        for address in self.recipients:
            spoken.setdefault(self.languages.get(address), []).append(address)
        return {
            language: self.model_copy(update={"recipients": tuple(addresses)})
            for language, addresses in spoken.items()
        }


class Webhook(_Part):
    """An address that takes JSON in one of three forms."""

    url: str
    form: Literal["generic", "slack", "discord"] = "generic"
    language: Language | None = None


class Ntfy(_Part):
    """A topic of an ntfy server (docs.ntfy.sh/publish); `token` where it asks for one."""

    server: str = "https://ntfy.sh"
    topic: str
    token: str = ""
    language: Language | None = None


class QuietHours(_Part):
    """Whole hours of the box's time zone, from the first until the second."""

    begin: int = 22
    end: int = 7

    def covers(self, moment: datetime, zone: ZoneInfo) -> bool:
        """Tell whether it is quiet at `moment`."""
        hour = moment.astimezone(zone).hour
        if self.begin <= self.end:
            return self.begin <= hour < self.end
        return hour >= self.begin or hour < self.end


class AlertSettings(_Part):
    """All of it; what is None is switched off."""

    least: Severity = "warning"
    quiet: QuietHours | None = Field(default_factory=QuietHours)
    mail: Mail | None = None
    webhook: Webhook | None = None
    ntfy: Ntfy | None = None


SECRETS = (("mail", "password"), ("webhook", "url"), ("ntfy", "token"))


class SettingsFile:
    """The settings at `path`. Blocks; read once and again after each change."""

    def __init__(self, path: Path, sealer: Sealer) -> None:
        self._path = path
        self._sealer = sealer
        self._known: AlertSettings | None = None

    def load(self) -> AlertSettings:
        """Return the settings; those of a new box where there are none, or none to be read."""
        if self._known is None:
            self._known = self._read()
        return self._known

    def save(self, settings: AlertSettings) -> None:
        """Keep them. Raises `StorageUnavailable`."""
        document = settings.model_dump(mode="json")
        try:
            for channel, name in SECRETS:
                if document[channel] and document[channel][name]:
                    secret = document[channel][name]
                    document[channel][name] = self._sealer.seal(secret, f"alerts:{channel}")
            replace_file(self._path, json.dumps(document, indent=1).encode(), MODE)
        except OSError as error:
            raise StorageUnavailable("The alert settings could not be kept.") from error
        self._known = settings

    def _read(self) -> AlertSettings:
        try:
            document = json.loads(self._path.read_bytes())
            for channel, name in SECRETS:
                if document[channel] and document[channel][name]:
                    document[channel] = self._opened(channel, name, document[channel])
            return AlertSettings.model_validate(document)
        except FileNotFoundError:
            return AlertSettings()
        except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
            log.warning("alert_settings_unreadable", reason=type(error).__name__)
            return AlertSettings()

    def _opened(self, channel: str, name: str, part: dict[str, object]) -> dict[str, object] | None:
        """Return the part with its secret; None, which is switched off, where that is lost."""
        try:
            return {**part, name: self._sealer.open(str(part[name]), f"alerts:{channel}")}
        except SecretLost:
            log.warning("alert_secret_lost", channel=channel)
            return None
