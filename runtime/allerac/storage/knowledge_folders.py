"""Folders of documents: a folder is there as long as a document is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    String,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    update,
)

from allerac.errors import Conflict, Forbidden, InvalidInput, NotFound

from .conversation_rows import milliseconds
from .database import Database
from .knowledge import readable
from .knowledge_tables import conversation_scope, knowledge_file
from .tables import conversation

MAX_FOLDER: Final = 200
"""Characters of a folder's name with the folders around it; the column's length."""

_FOLDER: Final = knowledge_file.c.folder


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """A folder by its name from the top, as `Taxes/2025`; `own` of its `documents` are one's own.

    What is in the folders within it is not counted.
    """

    name: str
    documents: int
    own: int


class FolderStore:
    """Folders as a person sees them; what is somebody else's stays where they put it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, person_id: str) -> list[FolderRecord]:
        """List the folders in which the person may read something, by name."""
        own = func.sum(case((knowledge_file.c.person_id == person_id, 1), else_=0))
        query = (
            select(_FOLDER, func.count(), own)
            .where(readable(person_id), _FOLDER != "")
            .group_by(_FOLDER)
            .order_by(_FOLDER)
        )
        return await self._database.read(
            lambda connection: [FolderRecord(*row) for row in connection.execute(query)]
        )

    async def move(self, person_id: str, file_ids: Sequence[str], folder: str) -> None:
        """Put documents of the person's into a folder, "" for none; all or nothing.

        Raises `NotFound`, and `Forbidden` for another's.
        """

        def work(connection: Connection) -> None:
            query = select(knowledge_file.c.person_id).where(
                knowledge_file.c.id.in_(file_ids), readable(person_id)
            )
            owners = list(connection.scalars(query))
            if len(owners) != len(set(file_ids)):
                raise NotFound("There is no such document.")
            if set(owners) - {person_id}:
                raise Forbidden(
                    "This document belongs to somebody else.", hint="Ask them to change it."
                )
            where = knowledge_file.c.id.in_(file_ids)
            now = milliseconds(datetime.now(UTC))
            connection.execute(
                update(knowledge_file).where(where).values(folder=folder, updated_at=now)
            )

        await self._database.write(work)

    async def rename(self, person_id: str, name: str, new_name: str) -> None:
        """Give a folder, and with it those within, another name; conversations look there too.

        Raises `NotFound`, `Conflict` where there is one of that name, `InvalidInput` where a
        folder within would get too long a name.
        """

        def work(connection: Connection) -> None:
            _require_own(connection, person_id, name)
            if new_name != name and _holds(connection, person_id, new_name, but_not=name):
                raise Conflict(
                    "There is a folder of this name already.",
                    hint="Take another name, or move the documents there.",
                    fields={"name": "is taken"},
                )
            _put_elsewhere(connection, person_id, name, new_name)

        await self._database.write(work)

    async def dissolve(self, person_id: str, name: str) -> None:
        """Take a folder away; what is in it goes one folder up. Raises `NotFound`."""
        parent = name.rpartition("/")[0]

        def work(connection: Connection) -> None:
            _require_own(connection, person_id, name)
            _put_elsewhere(connection, person_id, name, parent)

        await self._database.write(work)

    async def own_files(self, person_id: str, name: str) -> list[str]:
        """Return the person's documents in a folder and those within it. Raises `NotFound`."""
        where = and_(knowledge_file.c.person_id == person_id, _is_in(_FOLDER, name))

        def work(connection: Connection) -> list[str]:
            _require_own(connection, person_id, name)
            return list(connection.scalars(select(knowledge_file.c.id).where(where)))

        return await self._database.read(work)


def _is_in(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Whether a folder is `name` or within it; LIKE would take "Taxes" and "taxes" for one."""
    inside = f"{name}/"
    return or_(column == name, func.substr(column, 1, len(inside)) == inside)


def _holds(connection: Connection, person_id: str, name: str, *, but_not: str) -> bool:
    mine = knowledge_file.c.person_id == person_id
    where = and_(mine, _is_in(_FOLDER, name), ~_is_in(_FOLDER, but_not))
    return connection.execute(select(knowledge_file.c.id).where(where).limit(1)).first() is not None


def _require_own(connection: Connection, person_id: str, name: str) -> None:
    where = and_(knowledge_file.c.person_id == person_id, _is_in(_FOLDER, name))
    if connection.execute(select(knowledge_file.c.id).where(where).limit(1)).first() is None:
        raise NotFound("There is no such folder of yours.")


def _put_elsewhere(connection: Connection, person_id: str, name: str, target: str) -> None:
    mine = knowledge_file.c.person_id == person_id
    longest = connection.scalar(
        select(func.max(func.length(_FOLDER))).where(mine, _is_in(_FOLDER, name))
    )
    if (longest or 0) - len(name) + len(target) > MAX_FOLDER:
        raise InvalidInput("This name is too long.", fields={"name": "is too long"})
    now = milliseconds(datetime.now(UTC))
    connection.execute(
        update(knowledge_file)
        .where(mine, _is_in(_FOLDER, name))
        .values(folder=_beneath(_FOLDER, name, target), updated_at=now)
    )
    theirs = select(conversation.c.id).where(conversation.c.person_id == person_id)
    scoped = conversation_scope.c.folder
    beneath = _beneath(scoped, name, target)
    # What was a folder and is none any more narrows no conversation.
    narrowed = case((beneath == "", None), else_=beneath)
    connection.execute(
        update(conversation_scope)
        .where(conversation_scope.c.conversation_id.in_(theirs), _is_in(scoped, name))
        .values(folder=narrowed)
    )


def _beneath(column: Column[Any], name: str, target: str) -> ColumnElement[str]:
    """The folder of `column`, which is in `name`, as it is called within `target`."""
    begin = len(name) + (1 if target else 2)
    rest: ColumnElement[str] = literal(target) + func.substr(column, begin, type_=String)
    return case((column == name, target), else_=rest)
