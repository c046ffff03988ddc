"""Downloads under way: one job for each model, few at a time, none lost by a restart."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from threading import Event

import structlog

from allerac.errors import AlleracError, Conflict, DownloadFailed, ModelDamaged
from allerac.hardware.pin import ModelPin
from allerac.storage.threads import finish_in_thread

from .card import DownloadProgress, DownloadState, Problem
from .download import Patience, Transfer, fetch
from .progress import Meter
from .store import Manifest, ModelStore, PartRecord, check_file, manifest_of

log = structlog.get_logger()

_AT_ONCE = 2


@dataclass(slots=True)
class _Job:
    """One download. `finishing` is the installation, which cannot be stopped half-way."""

    pin: ModelPin
    size_bytes: int
    sha256: str
    received_bytes: int = 0
    etag: str | None = None
    state: DownloadState = "paused"
    error: Problem | None = None
    meter: Meter = field(default_factory=lambda: Meter(0))
    cancelled: Event = field(default_factory=Event)
    task: asyncio.Task[None] | None = None
    finishing: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        return self.pin.id

    @property
    def is_running(self) -> bool:
        return self.task is not None and not self.task.done()

    def take(self, received_bytes: int) -> None:
        self.received_bytes = received_bytes
        self.meter.update(received_bytes)

    def progress(self) -> DownloadProgress:
        moving = self.state == "running"
        return DownloadProgress(
            model_id=self.id,
            state=self.state,
            received_bytes=self.received_bytes,
            total_bytes=self.size_bytes,
            bytes_per_second=self.meter.bytes_per_second() if moving else 0.0,
            seconds_left=(
                self.meter.seconds_left(self.size_bytes - self.received_bytes) if moving else None
            ),
            error=self.error,
        )


class Downloads:
    """Runs jobs and remembers those that rest."""

    def __init__(
        self,
        store: ModelStore,
        *,
        source_url: str,
        bandwidth_limit: int | None,
        patience: Patience,
        on_installed: Callable[[Manifest], None],
        on_change: Callable[[str], None],
    ) -> None:
        self._store = store
        self._source_url = source_url.rstrip("/")
        self._bandwidth_limit = bandwidth_limit
        self._patience = patience
        self._on_installed = on_installed
        self._on_change = on_change
        self._jobs: dict[str, _Job] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def restore(self, pins: Mapping[str, ModelPin]) -> None:
        """Take up what an earlier run left; what no longer belongs to a pin is dropped."""
        for record in self._store.part_records().values():
            pin = pins.get(record.id)
            if pin is None or pin.sha256 != record.sha256:
                self._store.drop_part(record.id)
                continue
            job = self._job(pin)
            job.received_bytes = self._store.part_size(pin.id)
            job.etag, job.state = record.etag, record.state
            job.error = Problem(*record.error) if record.error else None
            self._jobs[pin.id] = job

    def progress(self, model_id: str) -> DownloadProgress | None:
        """Return how far the model is; None when nothing of it was begun."""
        job = self._jobs.get(model_id)
        return job.progress() if job else None

    def is_running(self, model_id: str) -> bool:
        """Whether the model is on its way or waits for its turn."""
        job = self._jobs.get(model_id)
        return job is not None and job.is_running

    def require(self, model_id: str) -> None:
        """Raise `Conflict` when nothing of the model was begun."""
        if model_id not in self._jobs:
            raise Conflict("There is no download to continue.", hint="Begin it anew.")

    def begin(self, pin: ModelPin) -> DownloadProgress:
        """Start or continue; nothing changes while it runs."""
        job = self._jobs.setdefault(pin.id, self._job(pin))
        if not job.is_running:
            job.state, job.error, job.finishing = "queued", None, None
            job.cancelled.clear()
            job.received_bytes = self._store.part_size(pin.id)
            job.task = asyncio.create_task(self._run(job), name=f"download {pin.id}")
            self._on_change(pin.id)
        return job.progress()

    async def pause(self, model_id: str) -> None:
        """Stop a job and keep what has arrived."""
        self.require(model_id)
        await self._halt(self._jobs[model_id])

    async def cancel(self, model_id: str) -> None:
        """Stop a job and drop what has arrived."""
        job = self._jobs.get(model_id)
        if job:
            await self._halt(job)
            self._jobs.pop(model_id, None)
            await asyncio.to_thread(self._store.drop_part, model_id)
            self._on_change(model_id)

    async def stop(self) -> None:
        """Stop all jobs and keep what has arrived."""
        for job in list(self._jobs.values()):
            await self._halt(job)

    def _job(self, pin: ModelPin) -> _Job:
        if pin.size_bytes is None or pin.sha256 is None or pin.revision is None:
            raise Conflict("This model is not pinned well enough to be fetched.")
        return _Job(pin, pin.size_bytes, pin.sha256)

    async def _halt(self, job: _Job) -> None:
        if not job.is_running or job.task is None:
            return
        job.cancelled.set()
        job.task.cancel()
        await asyncio.wait([job.task])
        if job.finishing:
            await asyncio.wait([job.finishing])
        if job.id in self._jobs and job.state != "failed":
            job.state = "paused"
            self._on_change(job.id)

    async def _run(self, job: _Job) -> None:
        """The boundary of a background task: whatever happens ends in the job's state."""
        try:
            async with self._turns:
                await self._bring(job)
        except AlleracError as err:
            await self._fail(job, Problem(err.code, err.message, err.hint))
        except Exception:
            log.exception("model_download_failed_unexpectedly", model_id=job.id)
            hint = "Try again. If it happens again, restart the box."
            await self._fail(job, Problem(DownloadFailed.code, "The download broke off.", hint))

    async def _bring(self, job: _Job) -> None:
        """Fetch, check and install; bytes of an earlier time that prove wrong get one new start."""
        was_begun = self._store.part_size(job.id) > 0
        await self._remember(job, job.etag)
        await self._fetch(job)
        try:
            await self._check(job)
        except ModelDamaged:
            await asyncio.to_thread(self._store.part(job.id).unlink, missing_ok=True)
            job.received_bytes = 0
            if not was_begun:
                raise
            job.etag = None
            await self._fetch(job)
            await self._check(job)
        job.finishing = asyncio.create_task(self._install(job))
        await asyncio.shield(job.finishing)

    async def _fetch(self, job: _Job) -> None:
        job.state = "running"
        job.meter = Meter(self._store.part_size(job.id))
        self._on_change(job.id)
        pin = job.pin
        path = PurePosixPath(pin.repository, "resolve", pin.revision or "", pin.file)
        transfer = Transfer(
            url=f"{self._source_url}/{path}",
            part=self._store.part(job.id),
            size_bytes=job.size_bytes,
            etag=job.etag,
            on_bytes=job.take,
            on_etag=lambda etag: self._remember(job, etag),
            bytes_per_second_limit=self._bandwidth_limit,
        )
        await fetch(transfer, self._patience)

    async def _check(self, job: _Job) -> None:
        job.state = "verifying"
        self._on_change(job.id)
        await finish_in_thread(
            lambda: check_file(
                self._store.part(job.id),
                size_bytes=job.size_bytes,
                sha256=job.sha256,
                cancelled=job.cancelled,
            )
        )

    async def _install(self, job: _Job) -> None:
        manifest = manifest_of(job.pin)
        await asyncio.to_thread(self._store.install, manifest, self._store.part(job.id))
        await asyncio.to_thread(self._store.drop_part, job.id)
        self._jobs.pop(job.id, None)
        self._on_installed(manifest)

    async def _remember(self, job: _Job, etag: str | None) -> None:
        job.etag = etag
        record = PartRecord(id=job.id, sha256=job.sha256, etag=etag)
        await finish_in_thread(lambda: self._store.write_part_record(record))

    async def _fail(self, job: _Job, problem: Problem) -> None:
        """Keep why, then tell: whoever hears of it may begin anew at once, so nothing follows."""
        record = PartRecord(
            id=job.id,
            sha256=job.sha256,
            etag=job.etag,
            state="failed",
            error=(problem.code, problem.message, problem.hint),
        )
        with contextlib.suppress(OSError):  # on a full disk the state lives in memory only
            await asyncio.to_thread(self._store.write_part_record, record)
        job.state, job.error = "failed", problem
        job.received_bytes = self._store.part_size(job.id)
        log.warning("model_download_failed", model_id=job.id, code=problem.code)
        self._on_change(job.id)
