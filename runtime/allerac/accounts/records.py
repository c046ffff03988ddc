"""Who is calling, and what is handed out once."""

from dataclasses import dataclass
from datetime import datetime

from allerac.storage.accounts import Person
from allerac.storage.invitations import InvitationRecord


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling, by session or by API key; `expires_at` is the session's end."""

    person: Person
    session_id: str | None = None
    api_key_id: str | None = None
    secret_hash: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has just begun; `token` is for the cookie."""

    person: Person
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedInWithRecovery(SignedIn):
    """The same with a new recovery code, shown this once."""

    recovery_code: str


@dataclass(frozen=True, slots=True)
class InvitationMade:
    """An invitation with its token, shown this once."""

    invitation: InvitationRecord
    token: str
