"""Who may use the box: signing in, sessions, recovery, people, invitations, keys."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from allerac.errors import Forbidden, NotFound, NotSignedIn, StorageUnavailable, WrongCredentials
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
from .guesses import Guesses
from .names import clean_name, name_key
from .passwords import Passwords, PasswordStrength, measure, require_strong
from .records import InvitationMade, Principal, SignedIn, SignedInWithRecovery
from .rescue import NoRescueDoor, RescueDoor
from .roles import require_power

IDLE = timedelta(days=30)
ABSOLUTE = timedelta(days=90)
TOUCH_SECONDS = 60
INVITATION_HOURS = 72
RECHECK_SECONDS = 0.4
"""A stream of somebody who was signed out ends within a second, also on a busy machine."""


class AccountService:
    """Everything about who may use the box; two others hear of each person who goes."""

    def __init__(
        self,
        *,
        accounts: AccountStore,
        invitations: InvitationStore,
        attempts: AttemptStore,
        passwords: Passwords,
        rescue: RescueDoor | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        before_removal: Callable[[str], Awaitable[None]] | None = None,
        on_removed: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._accounts = accounts
        self._invitations = invitations
        self._guesses = Guesses(attempts, clock)
        self._passwords = passwords
        self._rescue = rescue or NoRescueDoor()
        self._clock = clock
        self._before_removal = before_removal
        self._on_removed = on_removed
        self._replacing = asyncio.Lock()

    async def sign_in(self, name: str, password: str, *, agent: str, address: str) -> SignedIn:
        """Start a session. Raises `WrongCredentials`, `TooManyAttempts`.

        A name that nobody has takes as long and answers the same.
        """
        key = name_key(clean_name(name))
        await self._guesses.take(key, address=address)
        known = await self._known(key)
        right = await self._passwords.verify(known.password_hash if known else None, password)
        if known is None or not right or known.person.disabled:
            raise _wrong_password()
        await self._guesses.forgive(key)
        return await self._open(known, agent, address)

    async def authenticate_session(self, token: str) -> Principal:
        """Return who holds a session's token. Raises `NotSignedIn`."""
        token_hash = hash_token(token)
        found = await self._accounts.session(token_hash)
        now = self._clock()
        if found is None or found[0].expires_at <= now or found[1].disabled:
            raise NotSignedIn("Your session has ended.", hint="Sign in again.")
        record, person = found
        expires_at = record.expires_at
        if (now - record.last_seen_at).total_seconds() >= TOUCH_SECONDS:
            expires_at = min(now + IDLE, record.created_at + ABSOLUTE)
            with contextlib.suppress(StorageUnavailable):  # a full disk signs nobody out
                await self._accounts.touch_session(record.id, now, expires_at)
        return Principal(
            person, session_id=record.id, secret_hash=token_hash, expires_at=expires_at
        )

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
            with contextlib.suppress(StorageUnavailable):
                await self._accounts.touch_api_key(record.id, now)
        return Principal(person, api_key_id=record.id, secret_hash=key_hash)

    async def while_signed_in(
        self, principal: Principal, frames: AsyncIterator[str]
    ) -> AsyncIterator[str]:
        """Pass `frames` on until they end, or until the session or key does."""
        checked = time.monotonic()
        async with contextlib.aclosing(
            with_ticks(frames, every_seconds=RECHECK_SECONDS / 2)
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

    async def forget(self, token: str | None) -> None:
        """End the session that a browser held before it began another one, if it held any."""
        found = await self._accounts.session(hash_token(token)) if token else None
        if found is not None:
            with contextlib.suppress(NotFound):
                await self._accounts.end_session(found[1].id, found[0].id)

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
        await self._guesses.take(key, address=address)
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
        async with self._unchanged(known):
            await self._accounts.set_secret(known.person.id, hashes, keep_session=None)
        await self._guesses.forgive(key)
        proven = Credentials(known.person, hashes["password_hash"], hashes["recovery_hash"])
        await self._keep_for_rescue(known.person, fresh)
        signed = await self._open(proven, agent, address)
        return SignedInWithRecovery(signed.person, signed.token, signed.expires_at, fresh)

    async def change_password(
        self, person_id: str, current: str, new: str, *, keep_session: str | None
    ) -> None:
        """Set a new password; every other session ends."""
        known = await self._verified(person_id, current)
        require_strong(new, [known.person.name], "new_password")
        hashes = {"password_hash": await self._passwords.hash(new)}
        async with self._unchanged(known):
            await self._accounts.set_secret(person_id, hashes, keep_session=keep_session)

    async def new_recovery_code(self, person_id: str, password: str) -> str:
        """Replace the recovery code and return the new one."""
        known = await self._verified(person_id, password)
        code = new_code(RECOVERY_GROUPS)
        hashed = await self._passwords.hash(normalise_code(code))
        async with self._unchanged(known):
            await self._accounts.change_person(person_id, {"recovery_hash": hashed})
        await self._keep_for_rescue(known.person, code)
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
            require_power(actor.person, target, role)
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
        changed = await self._accounts.change_person(person_id, values) if values else target
        if target.role == "admin" and (changed.role != "admin" or changed.disabled):
            await self._take_back_invitations(changed)
        return changed

    async def delete_person(self, actor: Principal, person_id: str) -> None:
        """Remove a person with everything that is theirs."""
        require_power(actor.person, await self._accounts.person(person_id), None)
        if self._before_removal is not None:
            await self._before_removal(person_id)
        await self._accounts.delete_person(person_id)
        self._on_removed(person_id)

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
        key = name_key(known.person.name)
        await self._guesses.take(key)
        if not await self._passwords.verify(known.password_hash, password):
            raise WrongCredentials("The present password is not right.")
        await self._guesses.forgive(key)
        return known

    @contextlib.asynccontextmanager
    async def _unchanged(self, known: Credentials) -> AsyncIterator[None]:
        """Hold the hashes still while they are replaced: a proof counts once.

        Raises `WrongCredentials` when what was proven has been replaced since.
        """
        async with self._replacing:
            if not await self._still_known(known):
                raise WrongCredentials(
                    "The password or the code has just been changed.", hint="Use the new one."
                )
            yield

    async def _keep_for_rescue(self, person: Person, code: str) -> None:
        if person.role == "owner":
            await self._rescue.keep("owner", normalise_code(code))

    async def _still_known(self, known: Credentials) -> bool:
        with contextlib.suppress(NotFound):
            now = await self._accounts.credentials(person_id=known.person.id)
            hashes = (known.password_hash, known.recovery_hash)
            return (now.password_hash, now.recovery_hash) == hashes and not now.person.disabled
        return False

    async def _open(self, known: Credentials, agent: str, address: str) -> SignedIn:
        """Start a session, which ends at once if the password was replaced while it was checked.

        Raises `WrongCredentials` then, and when the person was removed meanwhile.
        """
        token = new_token()
        opened = self._new_session(token, agent, address)
        try:
            await self._accounts.add_session(known.person.id, opened)
        except NotFound as error:
            raise _wrong_password() from error
        if not await self._still_known(known):
            await self.forget(token)
            raise _wrong_password()
        return SignedIn(known.person, token, opened.expires_at)

    def _new_session(self, token: str, agent: str, address: str) -> NewSession:
        now = self._clock()
        return NewSession(hash_token(token), agent, address, now, now + IDLE)

    async def _take_back_invitations(self, person: Person) -> None:
        """End the open invitations of somebody who may not invite any more."""
        for offer in await self._invitations.open_ones(self._clock()):
            if offer.created_by_name == person.name:  # names are unique in a household
                with contextlib.suppress(NotFound):
                    await self._invitations.revoke(offer.id, self._clock())

    async def _still_valid(self, principal: Principal) -> bool:
        if principal.api_key_id is not None:
            key = await self._accounts.api_key(principal.secret_hash)
            return key is not None and not key[1].disabled
        found = await self._accounts.session(principal.secret_hash)
        if found is None:
            return False
        session, person = found
        return session.expires_at > self._clock() and not person.disabled


def _wrong_password() -> WrongCredentials:
    return WrongCredentials(
        "Name and password do not match.",
        hint="Check both; the recovery code helps when the password is lost.",
    )
