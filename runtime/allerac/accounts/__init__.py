"""Who may use the box."""

from .passwords import Passwords
from .service import AccountService, Principal

__all__ = ["AccountService", "Passwords", "Principal"]
