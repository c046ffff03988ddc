"""Where the update under way is, and those that were."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, select, union, update

from .account_rows import moment_of
from .conversation_rows import milliseconds
from .database import Database
from .ids import new_id
from .tables import update_history, update_state

ONLY = 1
DETAIL_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """The update under way. `offer` and `origin` say of what, `reason` what went wrong last.

    `boot_id` and `from_slot` are of the boot in which it was begun, `activations` of the other
    slot before the switch; `trusted_at` is the newest time that signed metadata proved.
    """

    state: str = "idle"
    offer: Mapping[str, Any] | None = None
    origin: str | None = None
    history_id: str | None = None
    from_slot: str | None = None
    boot_id: str | None = None
    activations: int | None = None
    tries: int = 0
    not_before: datetime | None = None
    reason: str | None = None
    detail: str | None = None
    checked_at: datetime | None = None
    trusted_at: datetime | None = None
    channel: str | None = None
    pinned_version: str | None = None
    postponed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PastUpdate:
    """One row of the history; `result` is None while it is under way."""

    id: str
    version: str
    from_version: str
    origin: str
    notes: Mapping[str, str] | None
    began_at: datetime
    ended_at: datetime | None
    result: str | None
    reason: str | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class Begun:
    """An update that begins: a new row of the history."""

    version: str
    from_version: str
    origin: str
    notes: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Ended:
    """How the row of the update under way ends."""

    result: str
    reason: str | None = None
    detail: str | None = None


class UpdateStore:
    """The tables `update_state`, one row, and `update_history`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> UpdateRecord:
        """Return the update under way; idle when there never was one."""
        return await self._database.read(_load)

    async def change(
        self,
        values: Mapping[str, Any],
        now: datetime,
        *,
        begun: Begun | None = None,
        ended: Ended | None = None,
    ) -> UpdateRecord:
        """Set fields of the record, begin or end its row of the history, all in one step."""

        def work(connection: Connection) -> UpdateRecord:
            changed = dict(values)
            history_id = _load(connection).history_id
            if ended is not None and history_id is not None:
                _end(connection, history_id, ended, now)
                changed["history_id"] = None
            if begun is not None:
                changed["history_id"] = _begin(connection, begun, now)
            _save(connection, changed, now)
            return _load(connection)

        return await self._database.write(work)

    async def history(self, limit: int) -> list[PastUpdate]:
        """Return the last updates, the newest first."""
        query = select(update_history).order_by(update_history.c.id.desc()).limit(limit)
        return await self._database.read(
            lambda connection: [_past(row) for row in connection.execute(query)]
        )

    async def unwanted_versions(self) -> frozenset[str]:
        """Return the versions that came back by themselves, or were left by going back."""
        came_back = select(update_history.c.version).where(update_history.c.result == "rolled_back")
        left = select(update_history.c.from_version).where(
            update_history.c.origin == "other_slot", update_history.c.result == "good"
        )
        query = union(came_back, left)
        return await self._database.read(
            lambda connection: frozenset(connection.execute(query).scalars())
        )

    async def snapshot(self, target: Path) -> None:
        """Copy the whole database to `target`, also while it is in use."""
        await self._database.snapshot(target)


def _load(connection: Connection) -> UpdateRecord:
    row = connection.execute(select(update_state)).first()
    if row is None:
        return UpdateRecord()
    values = {field.name: getattr(row, field.name) for field in fields(UpdateRecord)}
    for name in _TIMES & values.keys():
        values[name] = None if values[name] is None else moment_of(values[name])
    return UpdateRecord(**values)


_TIMES = frozenset({"not_before", "checked_at", "trusted_at", "postponed_until"})


def _save(connection: Connection, values: Mapping[str, Any], now: datetime) -> None:
    stored = {name: _stored(name, value) for name, value in values.items()}
    stored["changed_at"] = milliseconds(now)
    if connection.execute(select(update_state.c.id)).first() is None:
        connection.execute(insert(update_state).values(id=ONLY, **{**_FIRST, **stored}))
    else:
        connection.execute(update(update_state).where(update_state.c.id == ONLY).values(**stored))


_FIRST: Mapping[str, Any] = {"state": "idle", "tries": 0}


def _stored(name: str, value: Any) -> Any:
    if name in _TIMES and value is not None:
        return milliseconds(value)
    return value[:DETAIL_LENGTH] if name == "detail" and value is not None else value


def _begin(connection: Connection, begun: Begun, now: datetime) -> str:
    history_id = new_id()
    connection.execute(
        insert(update_history).values(
            id=history_id,
            version=begun.version,
            from_version=begun.from_version,
            origin=begun.origin,
            notes=None if begun.notes is None else dict(begun.notes),
            began_at=milliseconds(now),
        )
    )
    return history_id


def _end(connection: Connection, history_id: str, ended: Ended, now: datetime) -> None:
    connection.execute(
        update(update_history)
        .where(update_history.c.id == history_id)
        .values(
            ended_at=milliseconds(now),
            result=ended.result,
            reason=ended.reason,
            detail=None if ended.detail is None else ended.detail[:DETAIL_LENGTH],
        )
    )


def _past(row: Row[Any]) -> PastUpdate:
    return PastUpdate(
        id=row.id,
        version=row.version,
        from_version=row.from_version,
        origin=row.origin,
        notes=row.notes,
        began_at=moment_of(row.began_at),
        ended_at=None if row.ended_at is None else moment_of(row.ended_at),
        result=row.result,
        reason=row.reason,
        detail=row.detail,
    )
