"""The ways out: SMTP, webhooks in three forms, and ntfy.

Slack and Discord: the field of an incoming webhook that both document as the message
(api.slack.com/messaging/webhooks, discord.com/developers/docs/resources/webhook). ntfy: publish as
JSON (docs.ntfy.sh/publish).
"""

import asyncio
import smtplib
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any, Final

import httpx

from allerac.errors import Unavailable

from .message import Alert
from .settings import Mail, Ntfy, Webhook

TIMEOUT_SECONDS: Final = 20.0
PRIORITIES: Final = {"notice": 3, "warning": 4, "critical": 5}
"""ntfy's: 3 is its default, 5 the highest."""


async def send_mail(settings: Mail, alert: Alert) -> None:
    """Send one mail to all recipients. Raises `Unavailable` with what the server said."""
    message = EmailMessage()
    message["Subject"] = alert.subject
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.recipients)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain="allerac.local")
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence notice answers it
    message.set_content(f"{alert.title}\n\n{alert.text}\n")
    try:
        await asyncio.to_thread(_deliver, settings, message)
    except (OSError, smtplib.SMTPException, ssl.SSLError) as error:
        raise Unavailable(
            "The mail server did not take the mail.", hint=f"It said: {_told(error)}"
        ) from error


def _deliver(settings: Mail, message: EmailMessage) -> None:
    context = ssl.create_default_context()
    place = (settings.host, settings.port)
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(*place, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(*place, timeout=TIMEOUT_SECONDS)
    with server:
        if settings.security == "starttls":
            server.starttls(context=context)
        if settings.username:
            server.login(settings.username, settings.password)
        server.send_message(message)


async def send_webhook(settings: Webhook, alert: Alert) -> None:
    """Send JSON to the address. Raises `Unavailable`."""
    line = f"{alert.subject}\n{alert.text}".strip()
    forms: dict[str, Mapping[str, Any]] = {
        "slack": {"text": line},
        "discord": {"content": line[:2000], "allowed_mentions": {"parse": []}},
        "generic": {
            "event": alert.occasion,
            "code": alert.code,
            "severity": alert.severity,
            "box": alert.box,
            "title": alert.title,
            "text": alert.text,
            "at": alert.at.isoformat(),
        },
    }
    await _post(settings.url, forms[settings.form], {})


async def send_ntfy(settings: Ntfy, alert: Alert) -> None:
    """Publish to the topic. Raises `Unavailable`."""
    body = {
        "topic": settings.topic,
        "title": alert.subject,
        "message": alert.text or alert.title,
        "priority": PRIORITIES[alert.severity],
    }
    headers = {"Authorization": f"Bearer {settings.token}"} if settings.token else {}
    await _post(settings.server, body, headers)


async def _post(url: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            answer = await client.post(url, json=body, headers=dict(headers))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise Unavailable(
            "The address cannot be reached.", hint="Check it, and the way to the internet."
        ) from error
    if not answer.is_success:
        raise Unavailable(
            "The address did not take the message.", hint=f"It said: {answer.status_code}."
        )


def _told(error: Exception) -> str:
    """Return what a server said, without what was sent to it."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        return f"{error.smtp_code} {text}"[:200]
    return (str(error) or type(error).__name__)[:200]
