"""People, sessions, invitations, keys."""

from typing import Annotated, Literal

from pydantic import Field

from .shapes import Language, Password, PersonName, Request, Response, Role, Timestamp

RecoveryCode = Annotated[str, Field(min_length=1, max_length=64)]


class Person(Response):
    id: str
    name: str
    role: Role
    language: Language
    disabled: bool
    created_at: Timestamp


class SessionView(Response):
    """Who is signed in, and until when."""

    person: Person
    expires_at: Timestamp | None = None


class SessionWithRecovery(SessionView):
    """A new session together with the recovery code, which is shown this once."""

    recovery_code: str


class SessionItem(Response):
    id: str
    agent: str
    address: str
    created_at: Timestamp
    last_seen_at: Timestamp
    current: bool


class SessionList(Response):
    items: list[SessionItem]


class SignIn(Request):
    name: PersonName
    password: Password


class Recover(Request):
    name: PersonName
    recovery_code: RecoveryCode
    new_password: Password


class UpdateMe(Request):
    name: PersonName | None = None
    language: Language | None = None


class ChangePassword(Request):
    current_password: Password
    new_password: Password


class PasswordOnly(Request):
    password: Password


class RecoveryCodeView(Response):
    recovery_code: str


class PasswordCheck(Request):
    password: Annotated[str, Field(max_length=1024)]
    name: Annotated[str, Field(max_length=64)] | None = None


class PasswordStrength(Response):
    """`score` runs from 0 (guessed at once) to 4 (out of reach)."""

    score: Annotated[int, Field(ge=0, le=4)]
    ok: bool
    reason: str


class PersonList(Response):
    items: list[Person]


class UpdatePerson(Request):
    name: PersonName | None = None
    role: Literal["admin", "member", "guest"] | None = None
    disabled: bool | None = None


class InvitationItem(Response):
    id: str
    role: Role
    created_at: Timestamp
    expires_at: Timestamp
    used_at: Timestamp | None
    created_by_name: str


class InvitationList(Response):
    items: list[InvitationItem]


class CreateInvitation(Request):
    role: Literal["admin", "member", "guest"] = "member"


class InvitationLink(Response):
    """The link is shown this once; only its hash is kept."""

    id: str
    role: Role
    expires_at: Timestamp
    url: str
    qr_svg: str


class InvitationView(Response):
    household_name: str
    role: Role
    expires_at: Timestamp


class AcceptInvitation(Request):
    name: PersonName
    password: Password
    language: Language = "en"


class ApiKeyItem(Response):
    id: str
    name: str
    prefix: str
    created_at: Timestamp
    last_used_at: Timestamp | None


class ApiKeyList(Response):
    items: list[ApiKeyItem]


class CreateApiKey(Request):
    name: Annotated[str, Field(min_length=1, max_length=64)]


class ApiKeyCreated(ApiKeyItem):
    """`key` is shown this once."""

    key: str
