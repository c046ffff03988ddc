"""Keys of SSH that the household lets in, and the record of what was done with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from allerac.errors import Conflict, NotFound

from .account_rows import moment_of
from .conversation_rows import milliseconds
from .database import Database
from .ids import new_id
from .ssh_tables import ssh_event, ssh_key

Act = Literal[
    "key_added",
    "key_removed",
    "opened",
    "not_opened",
    "closed",
    "closed_by_time",
    "closed_by_restart",
]
MAX_KEYS = 16


@dataclass(frozen=True, slots=True)
class NewSshKey:
    """A public key that was looked at: one line of a file of authorized keys, and what it is."""

    line: str
    kind: str
    comment: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class SshKeyRecord(NewSshKey):
    """A key that is kept."""

    id: str
    added_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SshActor:
    """Who does something: a person, and the device by address and User-Agent."""

    name: str
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class SshEvent:
    """One act; `person_name` and the rest are None for what happened by itself."""

    act: Act
    person_name: str | None
    address: str | None
    agent: str | None
    detail: str | None
    happened_at: datetime


class SshStore:
    """The tables `ssh_key` and `ssh_event`; whatever changes keys is recorded in the same step."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keys(self) -> Sequence[SshKeyRecord]:
        """Return all keys, the oldest first."""
        query = select(ssh_key).order_by(ssh_key.c.id)
        return await self._database.read(
            lambda connection: [_key(row) for row in connection.execute(query)]
        )

    async def add_key(self, key: NewSshKey, actor: SshActor) -> SshKeyRecord:
        """Keep a key. Raises `Conflict` for one that is there, and for one too many."""
        record = SshKeyRecord(
            line=key.line,
            kind=key.kind,
            comment=key.comment,
            fingerprint=key.fingerprint,
            id=new_id(),
            added_by=actor.name,
            created_at=datetime.now(UTC),
        )

        def work(connection: Connection) -> None:
            if (connection.scalar(select(func.count()).select_from(ssh_key)) or 0) >= MAX_KEYS:
                raise Conflict("There is no room for another key.", hint="Remove one first.")
            connection.execute(
                insert(ssh_key).values(
                    id=record.id,
                    line=key.line,
                    kind=key.kind,
                    comment=key.comment,
                    fingerprint=key.fingerprint,
                    added_by=actor.name,
                    created_at=milliseconds(record.created_at),
                )
            )
            _record(connection, "key_added", actor, key.fingerprint)

        try:
            await self._database.write(work)
        except IntegrityError as error:
            raise Conflict("This key is there already.", hint="Nothing has to be done.") from error
        return record

    async def remove_key(self, key_id: str, actor: SshActor) -> None:
        """Forget a key. Raises `NotFound`."""

        def work(connection: Connection) -> None:
            found = connection.scalar(select(ssh_key.c.fingerprint).where(ssh_key.c.id == key_id))
            if found is None:
                raise NotFound("There is no such key.")
            connection.execute(delete(ssh_key).where(ssh_key.c.id == key_id))
            _record(connection, "key_removed", actor, found)

        await self._database.write(work)

    async def record(self, act: Act, actor: SshActor | None, detail: str | None = None) -> None:
        """Add to the record; without an actor it happened by itself."""
        await self._database.write(lambda connection: _record(connection, act, actor, detail))

    async def events(self, limit: int) -> Sequence[SshEvent]:
        """Return what was done last, the newest first."""
        query = select(ssh_event).order_by(ssh_event.c.id.desc()).limit(limit)
        return await self._database.read(
            lambda connection: [_event(row) for row in connection.execute(query)]
        )

    async def was_left_open(self) -> SshEvent | None:
        """Return the last opening, None when its end is recorded or there never was one."""
        of_the_door = select(ssh_event).where(ssh_event.c.act.not_in(("key_added", "key_removed")))
        query = of_the_door.order_by(ssh_event.c.id.desc()).limit(1)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return _event(row) if row is not None and row.act == "opened" else None


def _record(connection: Connection, act: Act, actor: SshActor | None, detail: str | None) -> None:
    connection.execute(
        insert(ssh_event).values(
            act=act,
            person_name=None if actor is None else actor.name,
            address=None if actor is None else actor.address,
            agent=None if actor is None else actor.agent,
            detail=detail,
            happened_at=milliseconds(datetime.now(UTC)),
        )
    )


def _key(row: Row[Any]) -> SshKeyRecord:
    return SshKeyRecord(
        line=row.line,
        kind=row.kind,
        comment=row.comment,
        fingerprint=row.fingerprint,
        id=row.id,
        added_by=row.added_by,
        created_at=moment_of(row.created_at),
    )


def _event(row: Row[Any]) -> SshEvent:
    return SshEvent(
        act=row.act,
        person_name=row.person_name,
        address=row.address,
        agent=row.agent,
        detail=row.detail,
        happened_at=moment_of(row.happened_at),
    )
