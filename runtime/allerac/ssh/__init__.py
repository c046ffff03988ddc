"""SSH, which the owner opens for some hours: who is let in, until when, and who did it."""

from .keys import read_key
from .service import HOURS, SshService, SshStatus

__all__ = ["HOURS", "SshService", "SshStatus", "read_key"]
