"""Who is told when something is wrong: by mail, webhook or ntfy, once, and when it is over."""

from .dispatch import AlertDispatcher
from .message import Alert, Occasion
from .outbox import DiaryOutbox
from .service import CHANNELS, AlertService, ChannelName
from .settings import AlertSettings, Mail, Ntfy, QuietHours, SettingsFile, Webhook

__all__ = [
    "CHANNELS",
    "Alert",
    "AlertDispatcher",
    "AlertService",
    "AlertSettings",
    "ChannelName",
    "DiaryOutbox",
    "Mail",
    "Ntfy",
    "Occasion",
    "QuietHours",
    "SettingsFile",
    "Webhook",
]
