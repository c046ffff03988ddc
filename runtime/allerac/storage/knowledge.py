"""Documents: whose they are, where they stand, and what of them can be found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from allerac.errors import Forbidden, NotFound

from .account_rows import moment_of
from .conversation_rows import milliseconds
from .database import Database
from .ids import new_id
from .knowledge_tables import assistant_file, knowledge_chunk, knowledge_file, knowledge_job
from .pages import Page, bad_cursor, decode_cursor, encode_cursor
from .passages import StoredChunk, drop_chunks, move_collection, rename_chunks, stored_chunk
from .tables import person

State = Literal["uploading", "processing", "indexing", "ready", "failed"]
Visibility = Literal["private", "household"]
Origin = Literal["upload", "watched"]


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A document. `done` of `total` says how far its present state has come, 0 of 0 if unknown."""

    id: str
    person_id: str
    visibility: Visibility
    name: str
    folder: str
    origin: Origin
    origin_path: str | None
    kind: str | None
    size_bytes: int
    sha256: str | None
    state: State
    reason: str | None
    version: int
    pages: int | None
    chunks: int
    indexed_version: int | None
    embedding_model_id: str | None
    used_by: int
    done: int
    total: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class NewFile:
    """A document that begins to arrive."""

    person_id: str
    name: str
    folder: str
    visibility: Visibility
    origin: Origin = "upload"
    origin_path: str | None = None


class KnowledgeStore:
    """The table `knowledge_file`; who asks sees their own documents and the household's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, new: NewFile) -> FileRecord:
        """Add a document that is being uploaded."""

        def work(connection: Connection) -> FileRecord:
            file_id, now = new_id(), milliseconds(datetime.now(UTC))
            highest = connection.scalar(select(func.max(knowledge_file.c.number))) or 0
            home = select(person.c.household_id).where(person.c.id == new.person_id)
            connection.execute(
                insert(knowledge_file).values(
                    id=file_id,
                    number=highest + 1,
                    household_id=home.scalar_subquery(),
                    person_id=new.person_id,
                    visibility=new.visibility,
                    name=new.name,
                    folder=new.folder,
                    origin=new.origin,
                    origin_path=new.origin_path,
                    size_bytes=0,
                    state="uploading",
                    version=1,
                    chunks=0,
                    created_at=now,
                    updated_at=now,
                )
            )
            return _one(connection, knowledge_file.c.id == file_id)

        return await self._database.write(work)

    async def get(self, person_id: str, file_id: str) -> FileRecord:
        """Return a document that the person may read. Raises `NotFound`."""
        where = and_(knowledge_file.c.id == file_id, readable(person_id))
        return await self._database.read(lambda connection: _one(connection, where))

    async def require_own(self, person_id: str, file_id: str) -> FileRecord:
        """Return a document of the person's. Raises `NotFound`, `Forbidden` for another's."""
        file = await self.get(person_id, file_id)
        if file.person_id != person_id:
            raise Forbidden(
                "This document belongs to somebody else.", hint="Ask them to change it."
            )
        return file

    async def find(self, file_id: str) -> FileRecord | None:
        """Return a document whoever it belongs to; the ingest asks."""
        where = knowledge_file.c.id == file_id
        return await self._database.read(lambda connection: _first(connection, where))

    async def page(
        self,
        person_id: str,
        *,
        folder: str | None = None,
        words: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[FileRecord]:
        """List what the person may read, the newest first."""
        where = readable(person_id)
        if folder is not None:
            where = and_(where, knowledge_file.c.folder == folder)
        if words:
            where = and_(where, knowledge_file.c.name.icontains(words, autoescape=True))
        if cursor is not None:
            (last,) = decode_cursor(cursor, length=1)
            if not isinstance(last, str):
                raise bad_cursor()
            where = and_(where, knowledge_file.c.id < last)

        def work(connection: Connection) -> Page[FileRecord]:
            query = _files().where(where).order_by(knowledge_file.c.id.desc()).limit(limit + 1)
            files = [_record(row) for row in connection.execute(query)]
            following = encode_cursor((files[limit - 1].id,)) if len(files) > limit else None
            return Page(files[:limit], following)

        return await self._database.read(work)

    async def same_content(self, person_id: str, sha256: str) -> FileRecord | None:
        """Return a document of the person's with this content."""
        where = and_(knowledge_file.c.person_id == person_id, knowledge_file.c.sha256 == sha256)
        return await self._database.read(lambda connection: _first(connection, where))

    async def watched(self) -> Mapping[str, FileRecord]:
        """Return the documents of the watched folder by their paths."""
        where = knowledge_file.c.origin == "watched"
        query = _files().where(where)
        files = await self._database.read(
            lambda connection: [_record(row) for row in connection.execute(query)]
        )
        return {file.origin_path: file for file in files if file.origin_path is not None}

    async def owner_id(self) -> str | None:
        """Return the owner of the household, to whom the watched folder belongs."""
        query = select(person.c.id).where(person.c.role == "owner")
        return await self._database.read(lambda connection: connection.scalar(query))

    async def unfinished_uploads(self) -> list[FileRecord]:
        """Return what was still arriving when the box stopped."""
        query = _files().where(knowledge_file.c.state == "uploading")
        return await self._database.read(
            lambda connection: [_record(row) for row in connection.execute(query)]
        )

    async def change(self, file_id: str, values: Mapping[str, Any]) -> FileRecord:
        """Set fields of a document.

        `visibility` also decides who finds its passages, `name` by which words.
        """

        def work(connection: Connection) -> FileRecord:
            change_file(connection, file_id, values)
            return _one(connection, knowledge_file.c.id == file_id)

        return await self._database.write(work)

    async def own(self, person_id: str) -> list[str]:
        """Return the ids of all documents of a person."""
        query = select(knowledge_file.c.id).where(knowledge_file.c.person_id == person_id)
        return await self._database.read(lambda connection: list(connection.scalars(query)))

    async def remove(self, file_id: str) -> str | None:
        """Remove a document with all that could find it; returns a blob that nobody needs now."""

        def work(connection: Connection) -> str | None:
            where = knowledge_file.c.id == file_id
            sha256 = connection.scalar(select(knowledge_file.c.sha256).where(where))
            drop_chunks(connection, file_id)
            connection.execute(delete(knowledge_file).where(where))
            return sha256 if sha256 and not _is_used(connection, sha256) else None

        return await self._database.write(work)

    async def is_used(self, sha256: str) -> bool:
        """Tell whether any document has this content."""
        return await self._database.read(lambda connection: _is_used(connection, sha256))

    async def contents_in_use(self) -> frozenset[str]:
        """Return the hashes of all documents."""
        query = select(knowledge_file.c.sha256).where(knowledge_file.c.sha256.is_not(None))
        return await self._database.read(
            lambda connection: frozenset(str(value) for value in connection.scalars(query))
        )

    async def passages(
        self, person_id: str, file_id: str, *, first: int, limit: int
    ) -> list[StoredChunk]:
        """Return the document as it was read, from the chunk at `first` on."""
        query = (
            select(
                knowledge_chunk,
                knowledge_file.c.name,
                knowledge_file.c.kind,
                knowledge_file.c.version,
            )
            .join(knowledge_file, knowledge_file.c.id == knowledge_chunk.c.file_id)
            .where(
                knowledge_chunk.c.file_id == file_id,
                knowledge_chunk.c.position >= first,
                readable(person_id),
            )
            .order_by(knowledge_chunk.c.position)
            .limit(limit)
        )
        return await self._database.read(
            lambda connection: [stored_chunk(row) for row in connection.execute(query)]
        )


def change_file(connection: Connection, file_id: str, values: Mapping[str, Any]) -> None:
    """Set fields of a document, and with them who finds it by which words. Raises `NotFound`."""
    where = knowledge_file.c.id == file_id
    before = connection.execute(select(knowledge_file).where(where)).first()
    if before is None:
        raise _missing()
    if values.get("visibility", before.visibility) != before.visibility:
        move_collection(connection, before, values["visibility"])
    if values.get("name", before.name) != before.name:
        rename_chunks(connection, file_id, values["name"])
    now = milliseconds(datetime.now(UTC))
    connection.execute(update(knowledge_file).where(where).values(**values, updated_at=now))


def readable(person_id: str) -> ColumnElement[bool]:
    """One's own documents, and the household's for all but guests."""
    member = select(person.c.id).where(person.c.id == person_id, person.c.role != "guest")
    shared = and_(knowledge_file.c.visibility == "household", member.exists())
    return or_(knowledge_file.c.person_id == person_id, shared)


def _files() -> Any:
    uses = (
        select(func.count())
        .where(assistant_file.c.file_id == knowledge_file.c.id)
        .scalar_subquery()
    )
    done = func.coalesce(knowledge_job.c.done, 0)
    total = func.coalesce(knowledge_job.c.total, 0)
    columns = (uses.label("used_by"), done.label("done"), total.label("total"))
    joined = knowledge_file.outerjoin(knowledge_job, knowledge_job.c.file_id == knowledge_file.c.id)
    return select(knowledge_file, *columns).select_from(joined)


def _is_used(connection: Connection, sha256: str) -> bool:
    query = select(knowledge_file.c.id).where(knowledge_file.c.sha256 == sha256).limit(1)
    return connection.execute(query).first() is not None


def _first(connection: Connection, where: ColumnElement[bool]) -> FileRecord | None:
    row = connection.execute(_files().where(where).order_by(knowledge_file.c.id)).first()
    return None if row is None else _record(row)


def _one(connection: Connection, where: ColumnElement[bool]) -> FileRecord:
    file = _first(connection, where)
    if file is None:
        raise _missing()
    return file


def _missing() -> NotFound:
    return NotFound("There is no such document.")


_SAME: Sequence[str] = (
    *("id", "person_id", "visibility", "name", "folder", "origin", "origin_path", "kind"),
    *("size_bytes", "sha256", "state", "reason", "version", "pages", "chunks"),
    *("indexed_version", "embedding_model_id", "used_by", "done", "total"),
)


def _record(row: Row[Any]) -> FileRecord:
    values = {name: getattr(row, name) for name in _SAME}
    return FileRecord(
        **values, created_at=moment_of(row.created_at), updated_at=moment_of(row.updated_at)
    )
