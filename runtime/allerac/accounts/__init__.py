"""Who may use the box."""

from .passwords import Passwords
from .records import Principal, SignedIn
from .service import AccountService

__all__ = ["AccountService", "Passwords", "Principal", "SignedIn"]
