"""Who may use the box: people, their sessions and keys."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from allerac.errors import NotFound

from .account_rows import (
    ApiKeyRecord,
    Credentials,
    Language,
    NewPerson,
    NewSession,
    Person,
    Role,
    SessionRecord,
    api_key_of,
    end_all,
    insert_session,
    name_taken,
    person_of,
    session_of,
)
from .conversation_rows import milliseconds
from .database import Database
from .ids import new_id
from .passages import drop_documents_of
from .search import unindex_conversation
from .tables import api_key, conversation, invitation, message, person, session

__all__ = [
    "AccountStore",
    "ApiKeyRecord",
    "Credentials",
    "Language",
    "NewPerson",
    "NewSession",
    "Person",
    "Role",
    "SessionRecord",
]


class AccountStore:
    """The tables about who may use the box."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def people(self) -> list[Person]:
        """Return everybody, oldest account first."""
        query = select(person).order_by(person.c.id)
        return await self._database.read(
            lambda connection: [person_of(row) for row in connection.execute(query)]
        )

    async def person(self, person_id: str) -> Person:
        """Return one person. Raises `NotFound`."""
        return (await self.credentials(person_id=person_id)).person

    async def credentials(
        self, *, person_id: str | None = None, name_key: str | None = None
    ) -> Credentials:
        """Return a person with hashes, by id or name. Raises `NotFound`."""
        where = person.c.id == person_id if person_id else person.c.name_key == name_key

        def work(connection: Connection) -> Credentials:
            row = connection.execute(select(person).where(where)).first()
            if row is None:
                raise _no_such_person()
            return Credentials(person_of(row), row.password_hash, row.recovery_hash)

        return await self._database.read(work)

    async def change_person(self, person_id: str, values: Mapping[str, Any]) -> Person:
        """Set columns of a person. Raises `NotFound`, `Conflict` when the name is taken."""

        def work(connection: Connection) -> Person:
            where = person.c.id == person_id
            connection.execute(update(person).where(where).values(**values))
            if values.get("disabled_at") is not None:
                end_all(connection, person_id)
            row = connection.execute(select(person).where(where)).first()
            if row is None:
                raise _no_such_person()
            return person_of(row)

        try:
            return await self._database.write(work)
        except IntegrityError as error:
            raise name_taken() from error

    async def delete_person(self, person_id: str) -> None:
        """Remove a person with everything that is theirs."""

        def work(connection: Connection) -> None:
            owned = select(conversation.c.id).where(conversation.c.person_id == person_id)
            for conversation_id in connection.scalars(owned).all():
                unindex_conversation(connection, conversation_id)
            own_messages = message.c.conversation_id.in_(owned)
            connection.execute(update(message).where(own_messages).values(parent_id=None))
            connection.execute(delete(message).where(own_messages))
            drop_documents_of(connection, person_id)
            for table in (conversation, session, api_key):
                connection.execute(delete(table).where(table.c.person_id == person_id))
            made = invitation.c.created_by == person_id
            connection.execute(delete(invitation).where(made))
            used = invitation.c.used_by == person_id
            connection.execute(update(invitation).where(used).values(used_by=None))
            connection.execute(delete(person).where(person.c.id == person_id))

        await self._database.write(work)

    async def set_secret(
        self, person_id: str, values: Mapping[str, str], *, keep_session: str | None
    ) -> None:
        """Set password or recovery hash and end every session but `keep_session`."""

        def work(connection: Connection) -> None:
            where = person.c.id == person_id
            connection.execute(update(person).where(where).values(**values))
            end_all(connection, person_id, keep=keep_session, keys=False)

        await self._database.write(work)

    async def add_session(self, person_id: str, new: NewSession) -> str:
        """Store a session and return its id. Raises `NotFound` for somebody who was removed."""
        try:
            return await self._database.write(
                lambda connection: insert_session(connection, person_id, new)
            )
        except IntegrityError as error:
            raise _no_such_person() from error

    async def session(self, token_hash: str) -> tuple[SessionRecord, Person] | None:
        """Return the session of a token with its person, or None."""

        def work(connection: Connection) -> tuple[SessionRecord, Person] | None:
            query = select(session).where(session.c.token_hash == token_hash)
            row = connection.execute(query).first()
            if row is None:
                return None
            whose = select(person).where(person.c.id == row.person_id)
            return session_of(row), person_of(connection.execute(whose).one())

        return await self._database.read(work)

    async def touch_session(self, session_id: str, now: datetime, expires_at: datetime) -> None:
        """Note that a session is in use and goes on."""
        values = {"last_seen_at": milliseconds(now), "expires_at": milliseconds(expires_at)}
        query = update(session).where(session.c.id == session_id).values(**values)
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def sessions(self, person_id: str) -> list[SessionRecord]:
        """Return a person's sessions, latest use first."""
        query = (
            select(session)
            .where(session.c.person_id == person_id)
            .order_by(session.c.last_seen_at.desc())
        )
        return await self._database.read(
            lambda connection: [session_of(row) for row in connection.execute(query)]
        )

    async def end_session(self, person_id: str, session_id: str) -> None:
        """End one session of a person. Raises `NotFound`."""
        query = delete(session).where(session.c.id == session_id, session.c.person_id == person_id)
        if not await self._database.write(lambda connection: connection.execute(query).rowcount):
            raise NotFound("There is no such session.")

    async def end_sessions(self, person_id: str, *, keep: str | None) -> None:
        """End all sessions of a person but `keep`."""
        await self._database.write(
            lambda connection: end_all(connection, person_id, keep=keep, keys=False)
        )

    async def add_api_key(
        self, person_id: str, *, name: str, prefix: str, key_hash: str, now: datetime
    ) -> ApiKeyRecord:
        """Store a key's hash. Raises `NotFound` for somebody who was removed."""
        values = {"id": new_id(), "person_id": person_id, "name": name, "prefix": prefix}

        def work(connection: Connection) -> ApiKeyRecord:
            stamped = {**values, "key_hash": key_hash, "created_at": milliseconds(now)}
            connection.execute(insert(api_key).values(**stamped))
            query = select(api_key).where(api_key.c.id == values["id"])
            return api_key_of(connection.execute(query).one())

        try:
            return await self._database.write(work)
        except IntegrityError as error:
            raise _no_such_person() from error

    async def api_keys(self, person_id: str) -> list[ApiKeyRecord]:
        """Return a person's keys that still work."""
        query = (
            select(api_key)
            .where(api_key.c.person_id == person_id, api_key.c.revoked_at.is_(None))
            .order_by(api_key.c.id)
        )
        return await self._database.read(
            lambda connection: [api_key_of(row) for row in connection.execute(query)]
        )

    async def api_key(self, key_hash: str) -> tuple[ApiKeyRecord, Person] | None:
        """Return a working key with its person, or None."""

        def work(connection: Connection) -> tuple[ApiKeyRecord, Person] | None:
            query = select(api_key).where(
                api_key.c.key_hash == key_hash, api_key.c.revoked_at.is_(None)
            )
            row = connection.execute(query).first()
            if row is None:
                return None
            whose = select(person).where(person.c.id == row.person_id)
            return api_key_of(row), person_of(connection.execute(whose).one())

        return await self._database.read(work)

    async def touch_api_key(self, key_id: str, now: datetime) -> None:
        """Note that a key was used."""
        query = update(api_key).where(api_key.c.id == key_id).values(last_used_at=milliseconds(now))
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def revoke_api_key(self, person_id: str, key_id: str, now: datetime) -> None:
        """End a key of a person. Raises `NotFound`."""
        query = (
            update(api_key)
            .where(api_key.c.id == key_id, api_key.c.person_id == person_id)
            .where(api_key.c.revoked_at.is_(None))
            .values(revoked_at=milliseconds(now))
        )
        if not await self._database.write(lambda connection: connection.execute(query).rowcount):
            raise NotFound("There is no such key.")


def _no_such_person() -> NotFound:
    return NotFound("There is no such person.")
