"""Documents of a household: added, read, replaced, shown, removed."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from allerac.errors import AlleracError, Conflict, NotFound
from allerac.storage.knowledge import FileRecord, KnowledgeStore, NewFile, Visibility
from allerac.storage.knowledge_jobs import JobStore
from allerac.storage.pages import Page
from allerac.storage.passages import Scope, StoredChunk
from allerac.storage.traces import TraceStore

from .blobs import BlobStore, read_file
from .drafts import Draft, tidy
from .ingest import Ingest
from .names import clean_folder, clean_name
from .reader import draw_page
from .reasons import REASONS, Unreadable
from .retrieval import Finding, Retriever

log = structlog.get_logger()

PASSAGES_AT_ONCE: Final = 50
SEARCH_TOKENS: Final = 4_000


@dataclass(frozen=True, slots=True)
class Original:
    """A document as it was added: where its bytes are, and what to call it."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service stands on; `drafts` is the folder of what is being read."""

    files: KnowledgeStore
    jobs: JobStore
    blobs: BlobStore
    ingest: Ingest
    retriever: Retriever
    traces: TraceStore
    drafts: Path


class KnowledgeService:
    """Every method takes the caller's `person_id` and raises `NotFound` for what is not theirs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._contents = asyncio.Lock()
        self._arriving: dict[str, int] = {}

    async def start(self) -> None:
        """Tidy up after the last run, then go on taking in."""
        for file in await self._parts.files.unfinished_uploads():
            await self._give_up_upload(file)
        await self._parts.blobs.tidy(await self._parts.files.contents_in_use())
        await asyncio.to_thread(tidy, self._parts.drafts, await self._parts.jobs.being_read())
        self._parts.ingest.start()

    async def stop(self) -> None:
        """Stop taking in."""
        await self._parts.ingest.stop()

    # What there is

    async def list_files(self, person_id: str, **query: Any) -> Page[FileRecord]:
        """List documents; see `KnowledgeStore.page`."""
        return await self._parts.files.page(person_id, **query)

    async def get(self, person_id: str, file_id: str) -> FileRecord:
        """Return a document."""
        return await self._parts.files.get(person_id, file_id)

    async def passages(
        self, person_id: str, file_id: str, *, first: int = 0, limit: int = PASSAGES_AT_ONCE
    ) -> list[StoredChunk]:
        """Return the document as it was read, passage by passage."""
        await self._parts.files.get(person_id, file_id)
        return await self._parts.files.passages(person_id, file_id, first=first, limit=limit)

    async def chunks(self, person_id: str, numbers: Sequence[int]) -> Mapping[int, StoredChunk]:
        """Return the passages of these numbers that are still there."""
        return await self._parts.retriever.passages(person_id, numbers)

    async def original(self, person_id: str, file_id: str) -> Original:
        """Return the document as it was added."""
        file = await self._parts.files.get(person_id, file_id)
        path = self._parts.blobs.path(file.sha256 or "-")
        if not path.is_file():
            raise NotFound("This document is no longer on the box.")
        return Original(path, file.name)

    async def picture(self, person_id: str, file_id: str, page: int) -> bytes:
        """Return a page of a PDF as PNG. Raises `NotFound` for other kinds and pages."""
        file = await self._parts.files.get(person_id, file_id)
        if file.kind != "pdf" or not 1 <= page <= (file.pages or 0):
            raise NotFound("There is no picture of this page.")
        try:
            return await draw_page(self._parts.blobs.path(file.sha256 or "-"), page)
        except Unreadable as error:
            raise NotFound(REASONS[error.reason].message) from error

    async def search(self, person_id: str, question: str, **narrowed: Any) -> Finding:
        """Search as a chat does, for people who want to see what would be found."""
        scope = Scope(person_id, **narrowed)
        return await self._parts.retriever.find(question, scope, budget_tokens=SEARCH_TOKENS)

    async def sources(self, person_id: str, conversation_id: str) -> Mapping[str, Any]:
        """Return how the passages for each answer of a conversation were found."""
        return await self._parts.traces.of_conversation(person_id, conversation_id)

    async def trace(self, person_id: str, answer_id: str) -> Mapping[str, Any]:
        """Return how the passages for an answer were found. Raises `NotFound`."""
        found = await self._parts.traces.load(person_id, [answer_id])
        if answer_id not in found:
            raise NotFound("Nothing was searched for this answer.")
        trace: Mapping[str, Any] = found[answer_id]
        return trace

    # Changes

    async def add(
        self,
        person_id: str,
        name: str,
        data: AsyncIterator[bytes],
        *,
        folder: str = "",
        visibility: Visibility = "private",
    ) -> FileRecord:
        """Take in a document.

        Raises `Conflict` where the person has the same one, `InvalidInput`, `PayloadTooLarge`,
        `InsufficientDisk`.
        """
        new = NewFile(person_id, clean_name(name), clean_folder(folder), visibility)
        file = await self._parts.files.add(new)
        try:
            return await self._receive(file, data)
        except BaseException:
            await asyncio.shield(self._give_up_upload(file))
            raise

    async def replace(
        self, person_id: str, file_id: str, name: str, data: AsyncIterator[bytes]
    ) -> FileRecord:
        """Take in a new version; until it is ready the one before is found and shown."""
        file = await self._parts.files.require_own(person_id, file_id)
        _require_still(file)
        blob = await self._parts.blobs.store(f"{file_id}-new", data, lambda _: None)
        async with self._contents:
            if blob.sha256 == file.sha256 and file.state == "ready":
                return file
            values = {
                "name": clean_name(name),
                "version": file.version + 1,
                "sha256": blob.sha256,
                "size_bytes": blob.size_bytes,
            }
            queued = await self._queue(file_id, values)
            await asyncio.to_thread(Draft(self._parts.drafts, file.id, file.version).remove)
            await self._drop_content(file.sha256)
        return queued

    async def retry(self, person_id: str, file_id: str) -> FileRecord:
        """Take a failed document in again. Raises `Conflict` for one that has not failed."""
        file = await self._parts.files.require_own(person_id, file_id)
        if file.state != "failed":
            raise Conflict("Only a document that failed can be tried again.")
        return await self._queue(file_id)

    async def change(self, person_id: str, file_id: str, **values: Any) -> FileRecord:
        """Change `name`, `folder` or `visibility`."""
        await self._parts.files.require_own(person_id, file_id)
        cleaned: Mapping[str, Any] = {
            **values,
            **({"name": clean_name(values["name"])} if "name" in values else {}),
            **({"folder": clean_folder(values["folder"])} if "folder" in values else {}),
        }
        return await self._parts.files.change(file_id, cleaned)

    async def remove(self, person_id: str, file_id: str) -> None:
        """Remove a document: its text, both its indexes, what is being read of it, its bytes."""
        file = await self._parts.files.require_own(person_id, file_id)
        async with self._contents:
            unused = await self._parts.files.remove(file_id)
            await asyncio.to_thread(Draft(self._parts.drafts, file.id, file.version).remove)
            if unused is not None:
                await self._parts.blobs.remove(unused)
        self._parts.ingest.renew_words()

    async def forget(self, person_id: str) -> None:
        """Remove all documents of somebody who leaves."""
        for file_id in await self._parts.files.own(person_id):
            with suppress(NotFound):
                await self.remove(person_id, file_id)

    async def take_watched(self, inside: str, path: Path) -> None:
        """Take in a file of the watched folder for the household, once it has an owner."""
        person_id = await self._parts.files.owner_id()
        if person_id is None:
            return
        folder = clean_folder(str(Path(inside).parent))
        name = clean_name(Path(inside).name)
        new = NewFile(person_id, name, folder, "household", "watched", inside)
        file = await self._parts.files.add(new)
        try:
            await self._receive(file, read_file(path))
        except BaseException:
            await asyncio.shield(self._give_up_upload(file))
            raise

    async def replace_watched(self, file: FileRecord, path: Path) -> None:
        """Take in a file of the watched folder that has changed."""
        await self.replace(file.person_id, file.id, file.name, read_file(path))

    async def drop_watched(self, file: FileRecord) -> None:
        """Remove what has left the watched folder."""
        await self.remove(file.person_id, file.id)

    def waits_for(self, file: FileRecord) -> str | None:
        """Return why a document that is being taken in waits, a key of `REASONS`."""
        if file.state not in ("processing", "indexing"):
            return None
        return self._parts.ingest.waits_for()

    def arrived_bytes(self, file_id: str) -> int:
        """Return how much of a document has been uploaded so far."""
        return self._arriving.get(file_id, 0)

    async def _receive(self, file: FileRecord, data: AsyncIterator[bytes]) -> FileRecord:
        def count(size: int) -> None:
            self._arriving[file.id] = size

        try:
            blob = await self._parts.blobs.store(file.id, data, count)
        finally:
            self._arriving.pop(file.id, None)
        async with self._contents:
            same = await self._parts.files.same_content(file.person_id, blob.sha256)
            if same is not None:
                raise Conflict(
                    "You have this document already.",
                    hint="Look for it in your library; it may have another name there.",
                    fields={"same_as": same.id},
                )
            return await self._queue(
                file.id, {"sha256": blob.sha256, "size_bytes": blob.size_bytes}
            )

    async def _queue(self, file_id: str, values: Mapping[str, Any] | None = None) -> FileRecord:
        await self._parts.jobs.add(file_id, values)
        self._parts.ingest.wake()
        file = await self._parts.files.find(file_id)
        if file is None:
            raise NotFound("There is no such document.")
        return file

    async def _give_up_upload(self, file: FileRecord) -> None:
        with suppress(AlleracError):
            async with self._contents:
                unused = await self._parts.files.remove(file.id)
                if unused is not None:
                    await self._parts.blobs.remove(unused)

    async def _drop_content(self, sha256: str | None) -> None:
        if sha256 and not await self._parts.files.is_used(sha256):
            await self._parts.blobs.remove(sha256)


def _require_still(file: FileRecord) -> None:
    if file.state == "uploading":
        raise Conflict("This document is still arriving.", hint="Wait until it is here.")
