"""Alerts: who is told when something is wrong."""

from urllib.parse import urlsplit

from allerac.errors import InvalidInput
from allerac.health.alerts import (
    AlertService,
    AlertSettings,
    Mail,
    Ntfy,
    QuietHours,
    Webhook,
)

from .auth import Administrator
from .routing import API, router_at
from .schemas import health as shape
from .services import ServicesOf

router = router_at(f"{API}/health/alerts", "health")


@router.get("", operation_id="getAlerts")
async def get_alerts(_: Administrator, services: ServicesOf) -> shape.Alerts:
    """Tell what is chosen; secrets stay where they are."""
    return _view(services.alerts)


@router.put("", operation_id="changeAlerts")
async def change_alerts(
    body: shape.ChangeAlerts, _: Administrator, services: ServicesOf
) -> shape.Alerts:
    """Choose who is told, and when."""
    await services.alerts.choose(_chosen(body, services.alerts.settings()))
    return _view(services.alerts)


@router.post("/test", operation_id="testAlert", status_code=204)
async def try_alert(body: shape.TryAlert, _: Administrator, services: ServicesOf) -> None:
    """Send a test now, and tell what the other side says."""
    await services.alerts.test(body.channel)


def _chosen(body: shape.ChangeAlerts, before: AlertSettings) -> AlertSettings:
    """Return the new settings; secrets that are not sent stay as they were."""
    return AlertSettings(
        least=body.least,
        quiet=QuietHours(begin=body.quiet.begin, end=body.quiet.end) if body.quiet else None,
        mail=_mail(body.mail, before.mail) if body.mail else None,
        webhook=_webhook(body.webhook, before.webhook) if body.webhook else None,
        ntfy=_ntfy(body.ntfy, before.ntfy) if body.ntfy else None,
    )


def _mail(body: shape.ChangeMail, before: Mail | None) -> Mail:
    """Return the mail settings; a kept password goes to no other server than it was given for."""
    same = before is not None and (before.host, before.port) == (body.host, body.port)
    kept = before.password if before is not None and same and body.security != "none" else ""
    password = kept if body.password is None else body.password
    recipients = {one.address: one.language for one in body.recipients}
    told = {
        **body.model_dump(),
        "password": password,
        "recipients": tuple(recipients),
        "languages": {address: spoken for address, spoken in recipients.items() if spoken},
    }
    return Mail.model_validate(told)


def _webhook(body: shape.ChangeWebhook, before: Webhook | None) -> Webhook:
    url = body.url or (before.url if before else None)
    if url is None:
        reason = "Paste the address that the other program gave you."
        raise InvalidInput("The address is missing.", fields={"webhook.url": reason})
    return Webhook(url=url, form=body.form, language=body.language)


def _ntfy(body: shape.ChangeNtfy, before: Ntfy | None) -> Ntfy:
    kept = before.token if before is not None and before.server == body.server else ""
    token = kept if body.token is None else body.token
    return Ntfy(server=body.server, topic=body.topic, token=token, language=body.language)


def _mail_view(mail: Mail) -> dict[str, object]:
    recipients = [
        {"address": address, "language": mail.languages.get(address)} for address in mail.recipients
    ]
    return {
        **mail.model_dump(),
        "recipients": recipients,
        "has_password": bool(mail.password),
    }


def _webhook_view(webhook: Webhook) -> dict[str, object]:
    host = urlsplit(webhook.url).hostname or ""
    return {"host": host, "form": webhook.form, "language": webhook.language}


def _view(alerts: AlertService) -> shape.Alerts:
    chosen = alerts.settings()
    mail, webhook, ntfy = chosen.mail, chosen.webhook, chosen.ntfy
    return shape.Alerts.model_validate(
        {
            "least": chosen.least,
            "quiet": chosen.quiet and chosen.quiet.model_dump(),
            "mail": mail and _mail_view(mail),
            "webhook": webhook and _webhook_view(webhook),
            "ntfy": ntfy and {**ntfy.model_dump(), "has_token": bool(ntfy.token)},
            "problems": dict(alerts.problems),
        }
    )
