"""People, sessions and keys as records, and the rows they are made of."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, insert, select

from allerac.errors import Conflict

from .conversation_rows import milliseconds
from .ids import new_id
from .tables import api_key, person, session

Role = Literal["owner", "admin", "member", "guest"]
Language = Literal["en", "de"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the household."""

    id: str
    name: str
    role: Role
    language: Language
    disabled: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """A person with the hashes that prove it is them."""

    person: Person
    password_hash: str
    recovery_hash: str | None


@dataclass(frozen=True, slots=True)
class NewPerson:
    """What is known of somebody before they exist. `name_key` is the name as it is compared."""

    name: str
    name_key: str
    role: Role
    language: str
    password_hash: str
    recovery_hash: str


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """Where a person is signed in."""

    id: str
    person_id: str
    agent: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to be stored; only the token's hash is."""

    token_hash: str
    agent: str
    address: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """A program's key, without the key."""

    id: str
    person_id: str
    name: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None


def insert_person(
    connection: Connection, household_id: str, new: NewPerson, role: str, now: datetime
) -> Person:
    """Add a person to a household within a transaction of the caller's."""
    person_id = new_id()
    connection.execute(
        insert(person).values(
            id=person_id,
            household_id=household_id,
            name=new.name,
            name_key=new.name_key,
            role=role,
            language=new.language,
            password_hash=new.password_hash,
            recovery_hash=new.recovery_hash,
            created_at=milliseconds(now),
        )
    )
    return person_of(connection.execute(select(person).where(person.c.id == person_id)).one())


def insert_session(connection: Connection, person_id: str, new: NewSession) -> str:
    """Add a session within a transaction of the caller's; returns its id."""
    session_id = new_id()
    connection.execute(
        insert(session).values(
            id=session_id,
            person_id=person_id,
            token_hash=new.token_hash,
            agent=new.agent,
            address=new.address,
            created_at=milliseconds(new.created_at),
            last_seen_at=milliseconds(new.created_at),
            expires_at=milliseconds(new.expires_at),
        )
    )
    return session_id


def end_all(
    connection: Connection, person_id: str, *, keep: str | None = None, keys: bool = True
) -> None:
    """End a person's sessions but `keep`, and with `keys` their API keys."""
    query = delete(session).where(session.c.person_id == person_id)
    if keep is not None:
        query = query.where(session.c.id != keep)
    connection.execute(query)
    if keys:
        connection.execute(delete(api_key).where(api_key.c.person_id == person_id))


def person_of(row: Row[Any]) -> Person:
    """Return the record of a row of `person`."""
    return Person(
        id=row.id,
        name=row.name,
        role=row.role,
        language=row.language,
        disabled=row.disabled_at is not None,
        created_at=moment_of(row.created_at),
    )


def moment_of(value: int) -> datetime:
    """Return the time of `value` milliseconds since 1970."""
    return datetime.fromtimestamp(value / 1000, UTC)


def session_of(row: Row[Any]) -> SessionRecord:
    """Return the record of a row of `session`."""
    return SessionRecord(
        id=row.id,
        person_id=row.person_id,
        agent=row.agent,
        address=row.address,
        created_at=moment_of(row.created_at),
        last_seen_at=moment_of(row.last_seen_at),
        expires_at=moment_of(row.expires_at),
    )


def api_key_of(row: Row[Any]) -> ApiKeyRecord:
    """Return the record of a row of `api_key`."""
    return ApiKeyRecord(
        id=row.id,
        person_id=row.person_id,
        name=row.name,
        prefix=row.prefix,
        created_at=moment_of(row.created_at),
        last_used_at=None if row.last_used_at is None else moment_of(row.last_used_at),
    )


def name_taken() -> Conflict:
    """Return the error for a name that is in use."""
    return Conflict(
        "Somebody in this household already has this name.",
        hint="Choose another name.",
        fields={"name": "already taken"},
    )
