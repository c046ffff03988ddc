"""What the box knows of itself, and the wizard's draft until it is claimed."""

import functools
import secrets
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from allerac.errors import Conflict, InvalidInput

from .account_rows import (
    Language,
    NewPerson,
    NewSession,
    Person,
    insert_person,
    insert_session,
    moment_of,
)
from .conversation_rows import milliseconds
from .database import Database
from .ids import new_id
from .tables import box, household, onboarding

SUFFIX_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
SUFFIX_LENGTH = 4
UNCLAIMED_NAME = "Allerac"
NAME_LENGTH = 40
ONLY = 1


@dataclass(frozen=True, slots=True)
class BoxRecord:
    """The box as it is now; `suffix` is what tells two boxes on one network apart."""

    device_id: str
    suffix: str
    name: str
    time_zone: str
    language: Language
    claimed_at: datetime | None
    default_model_id: str | None
    automatic_updates: bool
    update_hour: int


@dataclass(frozen=True, slots=True)
class ClaimedBox:
    """What the claim sets, all at once."""

    owner: NewPerson
    session: NewSession
    name: str
    time_zone: str
    default_model_id: str | None
    automatic_updates: bool
    update_hour: int


def clean_box_name(name: str) -> str:
    """Return a box's name with single spaces. Raises `InvalidInput`."""
    shown = " ".join(name.split())
    reason = ""
    if not 1 <= len(shown) <= NAME_LENGTH:
        reason = f"Use 1 to {NAME_LENGTH} characters."
    elif not shown.isprintable():
        reason = "It has characters that cannot be seen."
    if reason:
        raise InvalidInput("Choose another name.", hint=reason, fields={"name": reason})
    return shown


def require_time_zone(name: str) -> str:
    """Return the name of a time zone of the IANA database. Raises `InvalidInput`."""
    if name not in _time_zones():
        raise InvalidInput(
            "This time zone is not known.",
            hint="Choose one from the list, for instance Europe/Berlin.",
            fields={"time_zone": "Not in the IANA database."},
        )
    return name


@functools.cache
def _time_zones() -> frozenset[str]:
    """The names of all zones; each time it is asked, `zoneinfo` opens six hundred files."""
    return frozenset(zoneinfo.available_timezones())


class BoxStore:
    """The tables `box` and `onboarding`, one row each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> BoxRecord:
        """Return the box, which makes its identity when it is first asked."""
        found = await self._database.read(_box)
        if found is not None:
            return found

        def work(connection: Connection) -> BoxRecord:
            present = _box(connection)
            if present is not None:
                return present
            suffix = "".join(secrets.choice(SUFFIX_SIGNS) for _ in range(SUFFIX_LENGTH))
            connection.execute(
                insert(box).values(
                    id=ONLY,
                    device_id=new_id(),
                    suffix=suffix,
                    name=UNCLAIMED_NAME,
                    time_zone="UTC",
                    language="en",
                    automatic_updates=True,
                    update_hour=3,
                )
            )
            return _record(connection.execute(select(box)).one())

        return await self._database.write(work)

    async def change(self, values: Mapping[str, Any]) -> None:
        """Set columns of the box."""
        query = update(box).where(box.c.id == ONLY).values(**values)
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def draft(self) -> dict[str, Any]:
        """Return what the wizard has been told so far."""

        def work(connection: Connection) -> dict[str, Any]:
            row = connection.execute(select(onboarding.c.draft)).first()
            return dict(cast("Mapping[str, Any]", row.draft)) if row is not None else {}

        return await self._database.read(work)

    async def change_draft(self, edit: Callable[[dict[str, Any]], None], now: datetime) -> None:
        """Let `edit` change the draft, in one step. Raises `Conflict` once the box is claimed."""

        def work(connection: Connection) -> None:
            record = _box(connection)
            if record is not None and record.claimed_at is not None:
                raise _claimed_meanwhile()
            row = connection.execute(select(onboarding.c.draft)).first()
            draft = dict(cast("Mapping[str, Any]", row.draft)) if row is not None else {}
            edit(draft)
            values = {"draft": draft, "updated_at": milliseconds(now)}
            if row is None:
                connection.execute(insert(onboarding).values(id=ONLY, **values))
            else:
                connection.execute(update(onboarding).values(**values))

        await self._database.write(work)

    async def claim(self, claimed: ClaimedBox) -> Person:
        """Make the household and its owner, once. Raises `Conflict` for everyone but the first.

        The table `household` takes one row on a box; that constraint decides, not a check before.
        """

        def work(connection: Connection) -> Person:
            now = claimed.session.created_at
            household_id = new_id()
            values = {"id": household_id, "name": claimed.name, "created_at": milliseconds(now)}
            connection.execute(insert(household).values(**values))
            owner = insert_person(connection, household_id, claimed.owner, "owner", now)
            insert_session(connection, owner.id, claimed.session)
            connection.execute(
                update(box).values(
                    name=claimed.name,
                    time_zone=claimed.time_zone,
                    language=claimed.owner.language,
                    claimed_at=milliseconds(now),
                    default_model_id=claimed.default_model_id,
                    automatic_updates=claimed.automatic_updates,
                    update_hour=claimed.update_hour,
                )
            )
            connection.execute(delete(onboarding))
            return owner

        try:
            return await self._database.write(work)
        except IntegrityError as error:
            raise _claimed_meanwhile() from error


def _box(connection: Connection) -> BoxRecord | None:
    row = connection.execute(select(box)).first()
    return None if row is None else _record(row)


def _record(row: Row[Any]) -> BoxRecord:
    return BoxRecord(
        device_id=row.device_id,
        suffix=row.suffix,
        name=row.name,
        time_zone=row.time_zone,
        language=row.language,
        claimed_at=None if row.claimed_at is None else moment_of(row.claimed_at),
        default_model_id=row.default_model_id,
        automatic_updates=row.automatic_updates,
        update_hour=row.update_hour,
    )


def _claimed_meanwhile() -> Conflict:
    return Conflict(
        "This box has just been claimed by someone else.",
        hint="Ask them for an invitation. If nobody of yours did it, reset the box.",
    )
