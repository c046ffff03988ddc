"""Links by which people join the household."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from allerac.errors import Gone, NotFound

from .account_rows import (
    NewPerson,
    NewSession,
    Person,
    Role,
    insert_person,
    insert_session,
    moment_of,
    name_taken,
)
from .conversation_rows import milliseconds
from .database import Database
from .ids import new_id
from .tables import household, invitation, person


@dataclass(frozen=True, slots=True)
class InvitationRecord:
    """A link to join the household."""

    id: str
    role: Role
    household_name: str
    created_by_name: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


class InvitationStore:
    """The table `invitation`; tokens are kept as hashes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, created_by: str, *, token_hash: str, role: str, now: datetime, expires_at: datetime
    ) -> InvitationRecord:
        """Store an invitation's hash."""

        def work(connection: Connection) -> InvitationRecord:
            new = new_id()
            connection.execute(
                insert(invitation).values(
                    id=new,
                    household_id=_household_of(connection, created_by),
                    token_hash=token_hash,
                    role=role,
                    created_by=created_by,
                    created_at=milliseconds(now),
                    expires_at=milliseconds(expires_at),
                )
            )
            return _invitation(connection.execute(_INVITATIONS.where(invitation.c.id == new)).one())

        return await self._database.write(work)

    async def open_ones(self, now: datetime) -> list[InvitationRecord]:
        """Return invitations that can still be accepted."""
        query = _INVITATIONS.where(
            invitation.c.revoked_at.is_(None),
            invitation.c.used_at.is_(None),
            invitation.c.expires_at > milliseconds(now),
        ).order_by(invitation.c.id)
        return await self._database.read(
            lambda connection: [_invitation(row) for row in connection.execute(query)]
        )

    async def get(self, token_hash: str, now: datetime) -> InvitationRecord:
        """Return the invitation of a token. Raises `Gone` when it does not count (any more)."""

        def work(connection: Connection) -> InvitationRecord:
            query = _INVITATIONS.where(_open_invitation(token_hash, now))
            row = connection.execute(query).first()
            if row is None:
                raise _no_invitation()
            return _invitation(row)

        return await self._database.read(work)

    async def revoke(self, invitation_id: str, now: datetime) -> None:
        """Take an invitation back. Raises `NotFound`."""
        query = (
            update(invitation)
            .where(invitation.c.id == invitation_id, invitation.c.used_at.is_(None))
            .where(invitation.c.revoked_at.is_(None))
            .values(revoked_at=milliseconds(now))
        )
        if not await self._database.write(lambda connection: connection.execute(query).rowcount):
            raise NotFound("There is no such invitation.")

    async def accept(self, token_hash: str, new: NewPerson, opened: NewSession) -> Person:
        """Use the invitation up, add the person and their session, in one step.

        Raises `Gone` when somebody was quicker, `Conflict` when the name is taken.
        """

        def work(connection: Connection) -> Person:
            now = opened.created_at
            where = _open_invitation(token_hash, now)
            row = connection.execute(select(invitation).where(where)).first()
            used = update(invitation).where(where).values(used_at=milliseconds(now))
            if row is None or connection.execute(used).rowcount != 1:
                raise _no_invitation()
            added = insert_person(connection, row.household_id, new, row.role, now)
            by = update(invitation).where(invitation.c.id == row.id).values(used_by=added.id)
            connection.execute(by)
            insert_session(connection, added.id, opened)
            return added

        try:
            return await self._database.write(work)
        except IntegrityError as error:
            raise name_taken() from error


_INVITATIONS = (
    select(invitation, household.c.name.label("household"), person.c.name.label("creator"))
    .join(household, household.c.id == invitation.c.household_id)
    .join(person, person.c.id == invitation.c.created_by)
)


def _open_invitation(token_hash: str, now: datetime) -> Any:
    return (
        (invitation.c.token_hash == token_hash)
        & invitation.c.used_at.is_(None)
        & invitation.c.revoked_at.is_(None)
        & (invitation.c.expires_at > milliseconds(now))
    )


def _household_of(connection: Connection, person_id: str) -> str:
    query = select(person.c.household_id).where(person.c.id == person_id)
    return cast("str", connection.execute(query).scalar_one())


def _invitation(row: Row[Any]) -> InvitationRecord:
    return InvitationRecord(
        id=row.id,
        role=row.role,
        household_name=row.household,
        created_by_name=row.creator,
        created_at=moment_of(row.created_at),
        expires_at=moment_of(row.expires_at),
        used_at=None if row.used_at is None else moment_of(row.used_at),
    )


def _no_invitation() -> Gone:
    return Gone(
        "This invitation does not work (any more).", hint="Ask for a new one; each works once."
    )
