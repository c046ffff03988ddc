"""Taking documents in, one at a time: read, cut, embed, index. Every step can be begun again."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, aclosing, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog

from allerac.background import BackgroundTask
from allerac.engine.embedding import Embedder
from allerac.errors import (
    AlleracError,
    EngineUnavailable,
    ModelDamaged,
    NotFound,
    StorageUnavailable,
)
from allerac.storage.knowledge import FileRecord, KnowledgeStore
from allerac.storage.knowledge_jobs import JobRecord, JobStore, Stage
from allerac.storage.passages import Chunk

from .blobs import BlobStore
from .chunks import Measured, chunk
from .drafts import (
    Draft,
    append_vectors,
    read_chunks,
    read_lines,
    read_vectors,
    write_chunks,
    write_lines,
)
from .embedding_model import EmbeddingModel, EmbeddingModels
from .reader import read_document
from .reasons import Unreadable
from .word_reading import WordReader

log = structlog.get_logger()

LEASE: Final = timedelta(seconds=15)
ATTEMPTS: Final = 5
MEASURED_AT_ONCE: Final = 256
EMBEDDED_AT_ONCE: Final = 4
"""A question that is asked meanwhile waits for as many passages."""
KEPT_EVERY: Final = 32
RETRY_SECONDS: Final = 10.0
TELL_SECONDS: Final = 0.3
MAX_CHUNKS: Final = 20_000

HELD: Final = {"disk": "no_room", "heat": "too_hot"}
"""Why a document waits, by what the pace is held for."""


class Pace(Protocol):
    """Keeps the ingest out of the way of people."""

    async def rest(self, worked_seconds: float) -> None:
        """Return when the next bit of work may begin, the last having taken `worked_seconds`."""

    def work(self) -> AbstractContextManager[None]:
        """Return what is entered while a bit of work is done."""

    def held_for(self) -> frozenset[str]:
        """Return for what no more work is begun now; empty while it goes on."""


class Unhurried:
    """A pace without any rest."""

    async def rest(self, worked_seconds: float) -> None:
        """Go on at once."""

    def work(self) -> AbstractContextManager[None]:
        """Nobody is in the way."""
        return nullcontext()

    def held_for(self) -> frozenset[str]:
        """Nothing."""
        return frozenset()


@dataclass(frozen=True, slots=True)
class Desk:
    """What the ingest works with; `folder` is where it keeps its drafts."""

    files: KnowledgeStore
    jobs: JobStore
    blobs: BlobStore
    embedder: Embedder
    models: EmbeddingModels
    pace: Pace
    folder: Path
    words: WordReader


class Lost(Exception):  # noqa: N818 - reads as what happened
    """The job is not ours any more: the document was removed or replaced."""


class Ingest:
    """Works through the jobs for as long as it runs."""

    def __init__(self, desk: Desk, *, lease: timedelta = LEASE) -> None:
        self._desk = desk
        self._lease = lease
        self._background = BackgroundTask(self._run, name="ingest")
        self._told_at = 0.0
        self._stuck: str | None = None
        self._read_by: str | None = None
        self._caught_up: int | None = 0

    def start(self) -> None:
        """Begin; what was interrupted goes on once its lease has ended."""
        self._background.start()

    async def stop(self) -> None:
        """Stop where it is."""
        await self._background.stop()

    def wake(self) -> None:
        """There is something to do."""
        self._background.wake()

    def renew_models(self) -> None:
        """Models came or went: look again at what another one has read, or none could."""
        self._read_by = None
        self.renew_words()

    def renew_words(self) -> None:
        """Documents came or went: look again which words there are."""
        self._desk.words.begin_again()
        self._background.wake()

    def waits_for(self) -> str | None:
        """Return why documents are not read on now, a key of `REASONS`; None while they are.

        Kept in memory alone: a disk that is full takes no reason either.
        """
        held = self._desk.pace.held_for()
        return next((HELD[why] for why in HELD if why in held), self._stuck)

    async def _run(self) -> None:
        while True:
            await self._desk.pace.rest(0.0)
            try:
                job = await self._desk.jobs.take(datetime.now(UTC))
                if job is not None:
                    await self._work_on(job)
                elif not await self._do_beside():
                    self._stuck = None
                    await self._wait()
            except AlleracError as error:
                self._put_off(error)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # the boundary of a background task
                log.exception("ingest_stumbled")
                await asyncio.sleep(RETRY_SECONDS)

    async def _do_beside(self) -> bool:
        """Do a bit of what is done when no document waits; False when there is nothing."""
        return await self._queue_outdated() or await self._catch_up() or await self._read_words()

    async def _queue_outdated(self) -> bool:
        """Queue what another embedding model has read; whether there was any.

        Until a document has been read anew it is found by its words.
        """
        model = self._desk.models.current()
        if model is None or model.id == self._read_by:
            return False
        outdated = await self._desk.jobs.outdated(model.id)
        for file_id in outdated:
            await self._desk.jobs.add(file_id)
        self._read_by = model.id
        return bool(outdated)

    async def _catch_up(self) -> bool:
        """Make fast to search what an older version took in; whether there was any left."""
        if self._caught_up is None:
            return False
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._caught_up = await self._desk.jobs.catch_up(self._caught_up)
        await self._desk.pace.rest(loop.time() - began)
        return self._caught_up is not None

    async def _read_words(self) -> bool:
        loop = asyncio.get_running_loop()
        began = loop.time()
        has_more = await self._desk.words.read_some()
        await self._desk.pace.rest(loop.time() - began)
        return has_more

    async def _wait(self) -> None:
        free_at = await self._desk.jobs.next_free_at()
        patience = self._lease.total_seconds()
        if free_at is not None:
            patience = min(patience, (free_at - datetime.now(UTC)).total_seconds())
        await self._background.wait(max(0.05, patience))

    async def _work_on(self, job: JobRecord) -> None:
        file = await self._desk.files.find(job.file_id)
        if file is None:
            return
        draft = Draft(self._desk.folder, file.id, file.version)
        if job.attempts > ATTEMPTS:
            await self._desk.jobs.fail(file.id, "gave_up")
            await asyncio.to_thread(draft.remove)
            return
        try:
            await self._while_held(file.id, lambda: self._take_in(file, draft))
            self._stuck = None
        except Lost:
            log.info("ingest_dropped", file=file.id)
        except Unreadable as error:
            log.info("document_unreadable", file=file.id, reason=error.reason)
            await self._desk.jobs.fail(file.id, error.reason)
        except (EngineUnavailable, StorageUnavailable, OSError) as error:
            await self._put_back(file.id, error)
            return
        except asyncio.CancelledError:
            with suppress(AlleracError):
                await self._desk.jobs.put_back(file.id, attempted=False)
            raise
        self._desk.words.begin_again()
        await asyncio.to_thread(draft.remove)

    async def _put_back(self, file_id: str, error: Exception) -> None:
        """Let the document wait without counting the attempt, however long that takes to write."""
        self._put_off(error)
        while True:
            try:
                await self._desk.jobs.put_back(file_id, attempted=False)
            except StorageUnavailable:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                break
        await asyncio.sleep(RETRY_SECONDS)

    def _put_off(self, error: Exception) -> None:
        if isinstance(error, EngineUnavailable):
            self._stuck = "no_engine"
        elif isinstance(error, StorageUnavailable | OSError):
            self._stuck = "no_room"
        log.warning("ingest_waits", reason=str(error))

    async def _while_held(self, file_id: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work`, renewing the lease meanwhile. Raises `Lost` when that is not possible."""
        working = asyncio.ensure_future(work())
        try:
            while True:
                pause = self._lease.total_seconds() / 3
                done, _ = await asyncio.wait({working}, timeout=pause)
                if done:
                    return working.result()
                if not await self._desk.jobs.renew(file_id, datetime.now(UTC)):
                    raise Lost
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def _take_in(self, file: FileRecord, draft: Draft) -> None:
        model = self._desk.models.current()
        if model is None:
            raise Unreadable("no_model")
        try:
            await self._desk.embedder.load(model.file)
        except ModelDamaged as error:
            raise Unreadable("no_model") from error
        if not draft.pieces.exists():
            await self._extract(file, draft)
        if not draft.chunks(model.id).exists():
            await self._cut(file, draft, model)
        chunks = await asyncio.to_thread(read_chunks, draft.chunks(model.id))
        vectors = await self._embed(file, draft, model, chunks)
        await self._progress(file.id, "index", len(chunks), len(chunks))
        facts = next(read_lines(draft.pieces))
        if not await self._desk.jobs.finish(file.id, model.id, facts["pages"], chunks, vectors):
            raise Lost
        log.info("document_ready", file=file.id, chunks=len(chunks))

    async def _extract(self, file: FileRecord, draft: Draft) -> None:
        """Have a worker read the document; its text is kept when all of it is there."""
        kind, pages, pieces = "", None, list[tuple[str, str, int | None, bool]]()
        told = 0
        source = self._desk.blobs.path(file.sha256 or "")
        async with aclosing(read_document(source)) as reading:  # the worker ends whatever happens
            async for found in reading:
                if found.kind is not None:
                    kind = found.kind
                    await self._desk.files.change(file.id, {"kind": kind})
                elif found.piece is not None:
                    pieces.append(found.piece)
                elif found.page * 100 // max(1, found.pages) > told:
                    pages, told = found.pages, found.page * 100 // found.pages
                    await self._progress(file.id, "extract", found.page, found.pages)
                pages = found.pages or pages
        lines = [{"kind": kind, "pages": pages}, *pieces]
        await asyncio.to_thread(write_lines, draft.pieces, lines)

    async def _cut(self, file: FileRecord, draft: Draft, model: EmbeddingModel) -> None:
        lines = read_lines(draft.pieces)
        next(lines)
        pieces, measured = list(lines), list[Measured]()
        for start in range(0, len(pieces), MEASURED_AT_ONCE):
            some = pieces[start : start + MEASURED_AT_ONCE]
            counts = await self._desk.embedder.measure([piece[0] for piece in some])
            measured += [
                Measured(text, heading, page, begins, tokens)
                for (text, heading, page, begins), tokens in zip(some, counts, strict=True)
            ]
        chunks = await asyncio.to_thread(lambda: list(chunk(measured)))
        if len(chunks) > MAX_CHUNKS:
            raise Unreadable("too_long")
        await asyncio.to_thread(write_chunks, draft.chunks(model.id), chunks)

    async def _embed(
        self, file: FileRecord, draft: Draft, model: EmbeddingModel, chunks: list[Chunk]
    ) -> list[bytes]:
        path = draft.vectors(model.id)
        vectors = await asyncio.to_thread(read_vectors, path)
        kept = len(vectors)
        loop = asyncio.get_running_loop()
        while len(vectors) < len(chunks):
            some = chunks[len(vectors) : len(vectors) + EMBEDDED_AT_ONCE]
            began = loop.time()
            with self._desk.pace.work():
                vectors += await self._desk.embedder.embed([_told(each, model) for each in some])
            took = loop.time() - began
            if len(vectors) - kept >= KEPT_EVERY or len(vectors) == len(chunks):
                await asyncio.to_thread(append_vectors, path, vectors[kept:])
                kept = len(vectors)
            await self._progress(file.id, "embed", len(vectors), len(chunks))
            await self._desk.pace.rest(took)
        return vectors

    async def _progress(self, file_id: str, stage: Stage, done: int, total: int) -> None:
        now = asyncio.get_running_loop().time()
        if done < total and now - self._told_at < TELL_SECONDS:
            return
        self._told_at = now
        try:
            ours = await self._desk.jobs.progress(file_id, stage, done, total)
        except NotFound:
            ours = False
        if not ours:
            raise Lost
        self._stuck = None


def _told(each: Chunk, model: EmbeddingModel) -> str:
    heading = f"{each.heading}\n" if each.heading else ""
    return f"{model.traits.passage_prefix}{heading}{each.content}"
