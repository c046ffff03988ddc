"""Who may use the box: signing in, sessions, recovery, people, invitations, keys."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from allerac.errors import (
    Forbidden,
    NotFound,
    NotSignedIn,
    TooManyAttempts,
    WrongCredentials,
)
from allerac.events import with_ticks
from allerac.storage.accounts import (
    AccountStore,
    ApiKeyRecord,
    Credentials,
    NewPerson,
    NewSession,
    Person,
    SessionRecord,
)
from allerac.storage.attempts import AttemptStore
from allerac.storage.invitations import InvitationRecord, InvitationStore

from .codes import (
    RECOVERY_GROUPS,
    hash_token,
    new_api_key,
    new_code,
    new_token,
    normalise_code,
)
from .names import clean_name, name_key
from .passwords import Passwords, PasswordStrength, measure, require_strong

IDLE = timedelta(days=30)
ABSOLUTE = timedelta(days=90)
TOUCH_SECONDS = 60
GUESSES_PER_ACCOUNT = 10
GUESSES_PER_SOURCE = 50
GUESS_WINDOW_SECONDS = 300
INVITATION_HOURS = 72
RECHECK_SECONDS = 0.5
"""A stream of somebody who was signed out ends within a second."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling, by session or by API key."""

    person: Person
    session_id: str | None = None
    api_key_id: str | None = None
    secret_hash: str = ""


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


class AccountService:
    """Everything about who may use the box."""

    def __init__(
        self,
        *,
        accounts: AccountStore,
        invitations: InvitationStore,
        attempts: AttemptStore,
        passwords: Passwords,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._accounts = accounts
        self._invitations = invitations
        self._attempts = attempts
        self._passwords = passwords
        self._clock = clock

    async def sign_in(self, name: str, password: str, *, agent: str, address: str) -> SignedIn:
        """Start a session. Raises `WrongCredentials`, `TooManyAttempts`.

        A name that nobody has takes as long and answers the same.
        """
        key = name_key(clean_name(name))
        await self._count_guess(key, address)
        known = await self._known(key)
        right = await self._passwords.verify(known.password_hash if known else None, password)
        if known is None or not right or known.person.disabled:
            raise WrongCredentials(
                "Name and password do not match.",
                hint="Check both; the recovery code helps when the password is lost.",
            )
        await self._attempts.clear(f"account:{key}")
        return await self._open(known.person, agent, address)

    async def authenticate_session(self, token: str) -> Principal:
        """Return who holds a session's token. Raises `NotSignedIn`."""
        token_hash = hash_token(token)
        found = await self._accounts.session(token_hash)
        now = self._clock()
        if found is None or found[0].expires_at <= now or found[1].disabled:
            raise NotSignedIn("Your session has ended.", hint="Sign in again.")
        record, person = found
        if (now - record.last_seen_at).total_seconds() >= TOUCH_SECONDS:
            expires_at = min(now + IDLE, record.created_at + ABSOLUTE)
            await self._accounts.touch_session(record.id, now, expires_at)
        return Principal(person, session_id=record.id, secret_hash=token_hash)

    async def authenticate_key(self, key: str) -> Principal:
        """Return whose API key this is. Raises `NotSignedIn`."""
        key_hash = hash_token(key)
        found = await self._accounts.api_key(key_hash)
        if found is None or found[1].disabled:
            raise NotSignedIn("This API key does not work.", hint="Make a new one under People.")
        record, person = found
        now = self._clock()
        used = record.last_used_at
        if used is None or (now - used).total_seconds() >= TOUCH_SECONDS:
            await self._accounts.touch_api_key(record.id, now)
        return Principal(person, api_key_id=record.id, secret_hash=key_hash)

    async def while_signed_in(
        self, principal: Principal, frames: AsyncIterator[str]
    ) -> AsyncIterator[str]:
        """Pass `frames` on until they end, or until the session or key does."""
        checked = time.monotonic()
        async with contextlib.aclosing(
            with_ticks(frames, every_seconds=RECHECK_SECONDS)
        ) as ticking:
            async for frame in ticking:
                if time.monotonic() - checked >= RECHECK_SECONDS:
                    checked = time.monotonic()
                    if not await self._still_valid(principal):
                        return
                if frame is not None:
                    yield frame

    async def sign_out(self, person_id: str, session_id: str) -> None:
        """End the caller's own session."""
        await self._accounts.end_session(person_id, session_id)

    async def sign_out_everywhere(self, person_id: str, *, keep: str | None = None) -> None:
        """End all sessions of a person but `keep`."""
        await self._accounts.end_sessions(person_id, keep=keep)

    async def list_sessions(self, person_id: str) -> list[SessionRecord]:
        """Return a person's sessions that have not run out."""
        now = self._clock()
        return [s for s in await self._accounts.sessions(person_id) if s.expires_at > now]

    async def end_session(self, person_id: str, session_id: str) -> None:
        """End one session of a person. Raises `NotFound`."""
        await self._accounts.end_session(person_id, session_id)

    async def recover(
        self, name: str, recovery_code: str, new_password: str, *, agent: str, address: str
    ) -> SignedInWithRecovery:
        """Set a new password by the recovery code; every session ends, the code is replaced."""
        key = name_key(clean_name(name))
        require_strong(new_password, [name], "new_password")
        await self._count_guess(key, address)
        known = await self._known(key)
        code = normalise_code(recovery_code)
        right = await self._passwords.verify(known.recovery_hash if known else None, code)
        if known is None or not right or known.person.disabled:
            raise WrongCredentials(
                "Name and recovery code do not match.",
                hint="Look for the code that you printed or saved when you began.",
            )
        fresh = new_code(RECOVERY_GROUPS)
        hashes = {
            "password_hash": await self._passwords.hash(new_password),
            "recovery_hash": await self._passwords.hash(normalise_code(fresh)),
        }
        await self._accounts.set_secret(known.person.id, hashes, keep_session=None)
        await self._attempts.clear(f"account:{key}")
        signed = await self._open(known.person, agent, address)
        return SignedInWithRecovery(signed.person, signed.token, signed.expires_at, fresh)

    async def change_password(
        self, person_id: str, current: str, new: str, *, keep_session: str | None
    ) -> None:
        """Set a new password; every other session ends."""
        known = await self._verified(person_id, current)
        require_strong(new, [known.person.name], "new_password")
        hashes = {"password_hash": await self._passwords.hash(new)}
        await self._accounts.set_secret(person_id, hashes, keep_session=keep_session)

    async def new_recovery_code(self, person_id: str, password: str) -> str:
        """Replace the recovery code and return the new one."""
        await self._verified(person_id, password)
        code = new_code(RECOVERY_GROUPS)
        hashed = await self._passwords.hash(normalise_code(code))
        await self._accounts.change_person(person_id, {"recovery_hash": hashed})
        return code

    def check_password(self, password: str, *, names: list[str]) -> PasswordStrength:
        """Say how well a password would hold."""
        return measure(password, names)

    async def list_people(self) -> list[Person]:
        """Return the household."""
        return await self._accounts.people()

    async def update_person(
        self,
        actor: Principal,
        person_id: str,
        *,
        name: str | None = None,
        language: str | None = None,
        role: str | None = None,
        disabled: bool | None = None,
    ) -> Person:
        """Change a person: oneself by name and language, others as the role allows."""
        target = await self._accounts.person(person_id)
        is_self = actor.person.id == person_id
        if not is_self or role is not None or disabled is not None:
            _require_power(actor.person, target, role)
        values: dict[str, Any] = {}
        if name is not None:
            shown = clean_name(name)
            values |= {"name": shown, "name_key": name_key(shown)}
        if language is not None:
            values["language"] = language
        if role is not None:
            values["role"] = role
        if disabled is not None:
            values["disabled_at"] = int(self._clock().timestamp() * 1000) if disabled else None
        return await self._accounts.change_person(person_id, values) if values else target

    async def delete_person(self, actor: Principal, person_id: str) -> None:
        """Remove a person with everything that is theirs."""
        _require_power(actor.person, await self._accounts.person(person_id), None)
        await self._accounts.delete_person(person_id)

    async def invite(self, actor: Principal, *, role: str) -> InvitationMade:
        """Make a link to join. Only the owner invites admins."""
        if role == "admin" and actor.person.role != "owner":
            raise Forbidden("Only the owner may invite an admin.")
        token, now = new_token(), self._clock()
        record = await self._invitations.add(
            actor.person.id,
            token_hash=hash_token(token),
            role=role,
            now=now,
            expires_at=now + timedelta(hours=INVITATION_HOURS),
        )
        return InvitationMade(record, token)

    async def list_invitations(self) -> list[InvitationRecord]:
        """Return invitations that still count."""
        return await self._invitations.open_ones(self._clock())

    async def revoke_invitation(self, actor: Principal, invitation_id: str) -> None:
        """Take an invitation back. Raises `NotFound`."""
        del actor  # the router has let only administrators through
        await self._invitations.revoke(invitation_id, self._clock())

    async def read_invitation(self, token: str) -> InvitationRecord:
        """Return what a link offers. Raises `Gone`."""
        return await self._invitations.get(hash_token(token), self._clock())

    async def accept_invitation(
        self, token: str, *, name: str, password: str, language: str, agent: str, address: str
    ) -> SignedInWithRecovery:
        """Join the household by a link, which is used up. Raises `Gone`, `Conflict`."""
        offer = await self.read_invitation(token)
        shown = clean_name(name)
        require_strong(password, [shown])
        code, session_token = new_code(RECOVERY_GROUPS), new_token()
        new = NewPerson(
            name=shown,
            name_key=name_key(shown),
            role=offer.role,
            language=language,
            password_hash=await self._passwords.hash(password),
            recovery_hash=await self._passwords.hash(normalise_code(code)),
        )
        opened = self._new_session(session_token, agent, address)
        person = await self._invitations.accept(hash_token(token), new, opened)
        return SignedInWithRecovery(person, session_token, opened.expires_at, code)

    async def create_api_key(self, person_id: str, name: str) -> tuple[ApiKeyRecord, str]:
        """Make a key for a program; returns its record and the key, shown this once."""
        key = new_api_key()
        record = await self._accounts.add_api_key(
            person_id,
            name=clean_name(name),
            prefix=key[:8],
            key_hash=hash_token(key),
            now=self._clock(),
        )
        return record, key

    async def list_api_keys(self, person_id: str) -> list[ApiKeyRecord]:
        """Return a person's keys."""
        return await self._accounts.api_keys(person_id)

    async def revoke_api_key(self, person_id: str, key_id: str) -> None:
        """End a key. Raises `NotFound`."""
        await self._accounts.revoke_api_key(person_id, key_id, self._clock())

    async def _known(self, key: str) -> Credentials | None:
        with contextlib.suppress(NotFound):
            return await self._accounts.credentials(name_key=key)
        return None

    async def _verified(self, person_id: str, password: str) -> Credentials:
        known = await self._accounts.credentials(person_id=person_id)
        await self._count_guess(name_key(known.person.name), "")
        if not await self._passwords.verify(known.password_hash, password):
            raise WrongCredentials("The present password is not right.")
        await self._attempts.clear(f"account:{name_key(known.person.name)}")
        return known

    async def _count_guess(self, key: str, address: str) -> None:
        limits = [(f"account:{key}", GUESSES_PER_ACCOUNT)]
        if address:
            limits.append((f"source:{address}", GUESSES_PER_SOURCE))
        for bucket, limit in limits:
            wait = await self._attempts.take(
                bucket[:128], limit=limit, window_seconds=GUESS_WINDOW_SECONDS, now=self._clock()
            )
            if wait:
                raise TooManyAttempts(
                    "Too many wrong tries.",
                    retry_after_seconds=wait,
                    hint=f"Wait {-(-wait // 60)} min, then try again.",
                )

    async def _open(self, person: Person, agent: str, address: str) -> SignedIn:
        token = new_token()
        opened = self._new_session(token, agent, address)
        await self._accounts.add_session(person.id, opened)
        return SignedIn(person, token, opened.expires_at)

    def _new_session(self, token: str, agent: str, address: str) -> NewSession:
        now = self._clock()
        return NewSession(hash_token(token), agent, address, now, now + IDLE)

    async def _still_valid(self, principal: Principal) -> bool:
        if principal.api_key_id is not None:
            found = await self._accounts.api_key(principal.secret_hash)
            return found is not None and not found[1].disabled
        session = await self._accounts.session(principal.secret_hash)
        return session is not None and not session[1].disabled


def _require_power(actor: Person, target: Person, new_role: str | None) -> None:
    """Raise `Forbidden` unless `actor` may decide about `target`."""
    if actor.id == target.id:
        raise Forbidden("Nobody decides about their own role.", hint="Ask another admin.")
    if target.role == "owner":
        raise Forbidden("The owner stays the owner.")
    if actor.role == "owner":
        return
    if actor.role != "admin" or target.role == "admin" or new_role == "admin":
        raise Forbidden("Only the owner may do this.", hint="Ask the owner.")
