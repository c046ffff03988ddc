"""Keeps one engine process alive and speaks for it: the local `Engine`.

A process serves one model for its whole life. When it dies or falls silent it is replaced, the
model is loaded again, and requests of which nothing had been sent are sent again, once.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from itertools import count
from typing import Final

import structlog

from allerac.engine.gguf import read_header
from allerac.engine.limits import check_request, check_size
from allerac.engine.pending import Pending
from allerac.engine.process import EngineProcess
from allerac.engine.protocol import (
    EngineEvent,
    EngineState,
    EngineStatus,
    Finished,
    GenerationRequest,
    ModelFile,
    PromptMessage,
    Queued,
    Speed,
)
from allerac.engine.wire import (
    Beat,
    Cancel,
    Count,
    Counted,
    Generate,
    Load,
    Loaded,
    LoadFailed,
    Report,
    Step,
)
from allerac.errors import (
    AlleracError,
    EngineStopped,
    EngineUnavailable,
    InvalidInput,
    ModelDamaged,
)

log = structlog.get_logger()

HANG_SECONDS: Final = 10.0
LOAD_SECONDS: Final = 60.0
LOAD_BYTES_PER_SECOND: Final = 20e6  # a slow disk; a load beyond this is not going to end
BACK_OFF_SECONDS: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 30.0)
FAILURES_UNTIL_FAILED: Final = 3


class EngineSupervisor:
    """Implements `allerac.engine.protocol.Engine`.

    `on_step` is told of every step frame as it arrives (a benchmark measures with it).
    """

    def __init__(
        self,
        *,
        hang_seconds: float = HANG_SECONDS,
        on_step: Callable[[Step], None] | None = None,
    ) -> None:
        self._hang_seconds = hang_seconds
        self._on_step = on_step
        self._is_started = False
        self._state: EngineState = "stopped"
        self._model: ModelFile | None = None
        self._context_length: int | None = None
        self._speed = Speed()
        self._restarts = 0
        self._failures = 0
        self._last_error: str | None = None
        self._process: EngineProcess | None = None
        self._loaded: asyncio.Future[int] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._switch = asyncio.Lock()
        self._is_switching = False
        self._pending: dict[str, Pending] = {}
        self._drained = asyncio.Event()
        self._counts: dict[str, asyncio.Future[int]] = {}
        self._count_ids = count()

    async def start(self) -> None:
        """Be ready to load a model; the process starts with the first one."""
        self._is_started = True

    async def stop(self) -> None:
        """End running answers with `EngineStopped`, then the process."""
        self._is_started = False
        await self._halt()
        self._state, self._model = "stopped", None
        self._fail_pending(EngineStopped("Allerac is shutting down."))

    async def load(self, model: ModelFile) -> None:
        """See `Engine.load`. A file that is no model is refused before anything is stopped."""
        if not self._is_started:
            raise EngineUnavailable("The engine is not started.")
        await asyncio.to_thread(read_header, model.path)
        async with self._switch:
            if model == self._model and self._state == "ready":
                return
            previous = self._model
            await self._empty()
            try:
                await self._begin(model)
            except (ModelDamaged, EngineUnavailable) as err:
                await self._return_to(previous, err)
                raise
            finally:
                self._is_switching = False
                self._send_held()

    async def unload(self) -> None:
        """See `Engine.unload`."""
        async with self._switch:
            await self._empty()
            self._is_switching = False
            self._state, self._model, self._context_length = "stopped", None, None
            self._fail_pending(_not_loaded())

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[EngineEvent, None]:
        """See `Engine.generate`. While the engine starts again the request waits its turn."""
        self._check_available(request.model_id)
        check_request(request, self._context_length or request_limit(self._model))
        if request.request_id in self._pending:
            raise InvalidInput("This request is being answered already.")
        pending = self._pending[request.request_id] = Pending(request)
        if self._can_send():
            self._send(pending)
        else:
            pending.put(Queued(len(self._pending), None))
        try:
            async with aclosing(pending.events()) as events:
                async for event in events:
                    yield event
        finally:
            self._forget(pending)

    async def count_tokens(self, messages: Sequence[PromptMessage]) -> int:
        """See `Engine.count_tokens`. Raises `EngineUnavailable` while no model answers."""
        if self._process is None or not self._can_send() or self._context_length is None:
            raise _not_loaded()
        check_size(messages, self._context_length)
        count_id = f"count-{next(self._count_ids)}"
        counted = self._counts[count_id] = asyncio.get_running_loop().create_future()
        self._process.send(Count(count_id, tuple(messages)))
        try:
            return await counted
        finally:
            del self._counts[count_id]

    def status(self) -> EngineStatus:
        """See `Engine.status`."""
        active = sum(pending.is_active for pending in self._pending.values())
        return EngineStatus(
            state=self._state,
            model_id=self._model.model_id if self._model else None,
            context_length=self._context_length,
            active=active,
            waiting=len(self._pending) - active,
            restarts=self._restarts,
            pid=self._process.pid if self._process else None,
            last_error=self._last_error,
            speed=self._speed,
        )

    # Requests

    def _check_available(self, model_id: str) -> None:
        if self._is_switching:
            return  # held until it is known which model answers
        if self._model is None or self._state in ("stopped", "failed"):
            raise _not_loaded()
        if model_id != self._model.model_id:
            raise EngineUnavailable(
                "This model is not loaded.", hint="Choose the model that is running, or load it."
            )

    def _can_send(self) -> bool:
        return self._state == "ready" and not self._is_switching

    def _send(self, pending: Pending) -> None:
        if self._process is not None:
            pending.is_sent = True
            self._process.send(Generate(pending.request))

    def _send_held(self) -> None:
        for pending in [p for p in self._pending.values() if not p.is_sent]:
            try:
                self._check_available(pending.request.model_id)
            except EngineUnavailable as err:
                self._end(pending, err)
            else:
                if self._can_send():
                    self._send(pending)

    def _forget(self, pending: Pending) -> None:
        """The caller has what it wanted; tell the engine where the answer goes on."""
        if self._pending.get(pending.request.request_id) is pending:
            self._remove(pending)
            if pending.is_sent and self._process is not None:
                self._process.send(Cancel(pending.request.request_id))

    def _end(self, pending: Pending, error: AlleracError) -> None:
        self._remove(pending)
        pending.put(error)

    def _remove(self, pending: Pending) -> None:
        del self._pending[pending.request.request_id]
        if not any(p.is_sent for p in self._pending.values()):
            self._drained.set()

    def _fail_pending(self, error: AlleracError) -> None:
        for pending in list(self._pending.values()):
            self._end(pending, error)

    # Reports of the process

    def _take(self, report: Report) -> None:
        match report:
            case Step():
                if self._on_step is not None:
                    self._on_step(report)
                for request_id, event in report.events:
                    self._route(request_id, event)
            case Beat(speed):
                self._speed = speed
            case Counted(request_id, tokens):
                if (counted := self._counts.get(request_id)) and not counted.done():
                    counted.set_result(tokens)
            case Loaded(context_length):
                if self._loaded is not None and not self._loaded.done():
                    self._loaded.set_result(context_length)
            case LoadFailed(error):
                if self._loaded is not None and not self._loaded.done():
                    self._loaded.set_exception(error)

    def _route(self, request_id: str, event: EngineEvent | AlleracError) -> None:
        if pending := self._pending.get(request_id):
            pending.put(event)
            if pending.has_text:
                self._failures = 0
            if isinstance(event, Finished | AlleracError):
                self._remove(pending)
        elif isinstance(event, AlleracError) and (counted := self._counts.get(request_id)):
            counted.set_exception(event)

    # The life of the process

    async def _begin(self, model: ModelFile) -> None:
        """Start a process with `model` and keep it alive from then on."""
        await self._launch(model)
        self._model = model
        self._keeper = asyncio.create_task(self._keep(model))

    async def _launch(self, model: ModelFile) -> None:
        """Spawn, load and wait until it answers; leaves nothing behind when it fails."""
        started = time.monotonic()
        self._state = "starting"
        try:
            self._process = process = await EngineProcess.spawn(self._take)
        except OSError as err:
            raise EngineUnavailable("The engine cannot be started.") from err
        try:
            self._state = "loading"
            self._loaded = asyncio.get_running_loop().create_future()
            process.send(Load(model))
            self._context_length = await self._loading(process, model)
        except BaseException:
            process.kill()
            await self._end_process()
            raise
        self._state = "ready"
        self._last_error = None
        log.info(
            "engine_ready",
            model=model.model_id,
            pid=process.pid,
            seconds=round(time.monotonic() - started, 2),
        )

    async def _loading(self, process: EngineProcess, model: ModelFile) -> int:
        assert self._loaded is not None  # noqa: S101 - set by the only caller
        limit = LOAD_SECONDS + model.path.stat().st_size / LOAD_BYTES_PER_SECOND
        watch = asyncio.create_task(self._watch(process, limit))
        try:
            await asyncio.wait({self._loaded, watch}, return_when=asyncio.FIRST_COMPLETED)
            if self._loaded.done():
                return self._loaded.result()
            raise await self._died_loading(process)
        finally:
            watch.cancel()

    async def _died_loading(self, process: EngineProcess) -> AlleracError:
        log.warning("engine_died_loading", stderr=await process.end(), status=process.returncode)
        return ModelDamaged(
            "The engine stopped while it was loading this model.",
            hint="The file may be damaged, or larger than the memory. Choose another model.",
        )

    async def _keep(self, model: ModelFile) -> None:
        """Replace the process whenever it ends, for as long as `model` is wanted."""
        while True:
            if self._process is not None:
                await self._watch(self._process)
            await self._bury()
            await self._relaunch(model)
            self._send_held()

    async def _watch(self, process: EngineProcess, limit_seconds: float | None = None) -> None:
        """Return once the process has ended; kill it when it is silent for too long.

        Silence must be seen twice: this loop may itself have been held up.
        """
        end = None if limit_seconds is None else time.monotonic() + limit_seconds
        silent_before = False
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._hang_seconds / 8):
                    await process.ended()
                    return
            silent = process.silence_seconds() > self._hang_seconds
            if (silent and silent_before) or (end is not None and time.monotonic() > end):
                log.warning("engine_silent", pid=process.pid, seconds=self._hang_seconds)
                process.kill()
                await process.ended()
                return
            silent_before = silent

    async def _bury(self) -> None:
        """The process is gone: decide for each of its requests."""
        self._state = "starting"
        self._restarts += 1
        process, self._process = self._process, None
        for pending in list(self._pending.values()):
            if not pending.survives_restart():
                self._remove(pending)
        self._fail_counts()
        if process is not None:
            process.kill()
            stderr = await process.end()
            self._last_error = f"The engine stopped (status {process.returncode})."
            log.warning("engine_ended", status=process.returncode, stderr=stderr)

    async def _relaunch(self, model: ModelFile) -> None:
        while True:
            delay = BACK_OFF_SECONDS[min(self._failures, len(BACK_OFF_SECONDS) - 1)]
            await asyncio.sleep(delay)
            self._failures += 1
            try:
                await self._launch(model)
            except (AlleracError, OSError) as err:
                self._last_error = str(err)
                self._state = "starting"
                if self._failures >= FAILURES_UNTIL_FAILED:
                    self._state = "failed"
                    self._fail_pending(_not_loaded())
            else:
                return

    async def _empty(self) -> None:
        """Let running answers finish, hold new ones, then end the process."""
        self._is_switching = True
        while any(pending.is_sent for pending in self._pending.values()):
            self._drained.clear()
            await self._drained.wait()
        await self._halt()

    async def _halt(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        await self._end_process()
        self._state = "stopped"
        self._failures = 0
        self._fail_counts()

    async def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.end()

    async def _return_to(self, previous: ModelFile | None, error: AlleracError) -> None:
        """After a load that failed: the model from before, or a state that says why there is none."""
        log.warning("engine_load_failed", reason=error.message)
        if previous is not None:
            with suppress(AlleracError, OSError):
                await self._begin(previous)
        if self._state != "ready":
            self._state, self._model = "failed", None
        self._last_error = error.message

    def _fail_counts(self) -> None:
        for counted in self._counts.values():
            if not counted.done():
                counted.set_exception(_not_loaded())


def _not_loaded() -> EngineUnavailable:
    return EngineUnavailable(
        "No model is ready to answer.", hint="Wait until it is loaded, or choose a model."
    )


def request_limit(model: ModelFile | None) -> int:
    """Context length to check against while the engine has not said its own."""
    return model.context_length if model else 1 << 20
