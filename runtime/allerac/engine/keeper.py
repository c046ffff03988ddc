"""The life of the engine process: launched, watched, buried, launched again.

A process serves one model for its whole life. When it dies or falls silent it is replaced and
the model is loaded again, at once the first time, then with growing patience.
"""

import asyncio
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Final, Protocol

import structlog

from allerac.engine.process import END_SECONDS, EngineProcess, Launch
from allerac.engine.protocol import EngineState, ModelFile
from allerac.engine.wire import (
    Command,
    Expect,
    Forget,
    KeepOnly,
    Load,
    Loaded,
    LoadFailed,
    Report,
    ServingReport,
    SetThreads,
)
from allerac.errors import AlleracError, EngineUnavailable, ModelDamaged

log = structlog.get_logger()

FIRST_WORD_SECONDS: Final = 45.0  # Python's start, on a box where everything else starts too
LOAD_SECONDS: Final = 60.0
LOAD_BYTES_PER_SECOND: Final = 20e6  # a slow disk; a load beyond this is not going to end
BACK_OFF_SECONDS: Final = (0.0, 0.5, 1.0, 2.0)  # then a start may take 8 of the 10 s we promise
FAILED_BACK_OFF_SECONDS: Final = 30.0
ATTEMPTS_UNTIL_FAILED: Final = 3
GONE_SECONDS: Final = 1.0  # to kill what has just died would lose how it ended
LOOKS: Final = 12  # in the time after which silence is a hang


class Watcher(Protocol):
    """Who is told what the process says and what becomes of it."""

    def on_report(self, report: ServingReport) -> None:
        """The process sent something."""

    def on_lost(self) -> None:
        """The process is gone; another is on its way."""

    def on_ready(self) -> None:
        """The model answers again after a restart."""

    def on_failed(self) -> None:
        """Several restarts failed; trying goes on, more slowly."""


class EngineKeeper:
    """Keeps a process with the wanted model alive; `failures` counts since text was last seen."""

    def __init__(self, watcher: Watcher, *, launch: Launch, hang_seconds: float) -> None:
        self._watcher = watcher
        self._start = launch
        self._hang_seconds = hang_seconds
        self._process: EngineProcess | None = None
        self._loaded: asyncio.Future[int] | None = None
        self._task: asyncio.Task[None] | None = None
        self.state: EngineState = "stopped"
        self.model: ModelFile | None = None
        self.context_length: int | None = None
        self.kept_tokens = 0
        self.restarts = 0
        self.failures = 0
        self.last_error: str | None = None
        self._thread_limits: dict[str, int] = {}
        self._gone: set[str] = set()
        self._expected: dict[str, Expect] = {}
        self._household: tuple[str, ...] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def send(self, command: Command) -> None:
        if self._process is not None:
            self._process.send(command)

    @property
    def thread_limit(self) -> int | None:
        """The lowest of those that were set; None where there is none."""
        return min(self._thread_limits.values(), default=None)

    def limit_threads(self, why: str, limit: int | None) -> None:
        """Let this process, and those that follow, compute with at most `limit` threads."""
        before = self.thread_limit
        if limit is None:
            self._thread_limits.pop(why, None)
        else:
            self._thread_limits[why] = limit
        if self.thread_limit != before:
            self.send(SetThreads(self.thread_limit))

    def expect(self, model_id: str, speed: Expect) -> None:
        """Let this process, and those that follow, estimate with what was measured of a model."""
        self._expected[model_id] = speed
        if self.model is not None and self.model.model_id == model_id:
            self.send(speed)

    def forget(self, person_id: str) -> None:
        """Let this process, and those that follow, delete what is kept of a person."""
        self._gone.add(person_id)
        self.send(Forget(person_id))

    def keep_only(self, person_ids: Iterable[str]) -> None:
        """Let the next process delete what is kept of everybody else."""
        self._household = tuple(person_ids)

    async def begin(self, model: ModelFile) -> None:
        """Launch with `model` and keep it alive from then on.

        Raises `ModelDamaged` or `EngineUnavailable`; then nothing runs.
        """
        self.model = model
        try:
            await self._launch(model)
        except BaseException:
            self.model = None
            raise
        self._task = asyncio.create_task(self._keep(model))

    async def halt(self) -> None:
        """End the process and forget the model."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._end_process()
        self.model = self.context_length = None
        self.failures = 0

    def give_up(self, error: AlleracError) -> None:
        """No model is left to run; say why."""
        self.state, self.last_error = "failed", error.message

    async def _launch(self, model: ModelFile) -> None:
        started = time.monotonic()
        self.state = "starting"
        self._loaded = loaded = asyncio.get_running_loop().create_future()
        try:
            self._process = process = await self._start(self._take)
        except OSError as err:
            raise EngineUnavailable("The engine cannot be started.") from err
        try:
            self.state = "loading"
            process.send(Load(model))
            self.context_length = await self._loading(process, loaded, model.path)
        except AlleracError as err:
            stderr = await self._end_process()
            log.warning("engine_load_failed", reason=err.message, stderr=stderr)
            raise
        except BaseException:
            await self._end_process()
            raise
        self._brief(process)
        self.state, self.last_error = "ready", None
        seconds = round(time.monotonic() - started, 2)
        log.info("engine_ready", model=model.model_id, pid=process.pid, seconds=seconds)

    def _brief(self, process: EngineProcess) -> None:
        """Tell a new process what was said to those before it."""
        if self.thread_limit is not None:
            process.send(SetThreads(self.thread_limit))
        if self.model is not None and (expected := self._expected.get(self.model.model_id)):
            process.send(expected)
        household, self._household = self._household, None
        if household is not None:
            process.send(KeepOnly(household))
        for person_id in self._gone:
            process.send(Forget(person_id))

    async def _loading(
        self, process: EngineProcess, loaded: "asyncio.Future[int]", path: Path
    ) -> int:
        watch = asyncio.create_task(self._watch(process, _load_seconds(path)))
        watch.add_done_callback(lambda _: loaded.cancel())
        try:
            return await loaded
        except asyncio.CancelledError:
            if not watch.done() or watch.cancelled():
                raise  # this task is cancelled, not the load
            raise await self._died_loading(process) from None
        finally:
            watch.cancel()

    async def _died_loading(self, process: EngineProcess) -> AlleracError:
        await process.end()
        if process.returncode == -signal.SIGKILL:  # by the kernel for memory, or by us for time
            return EngineUnavailable(
                "The engine could not load this model in the memory and time there is.",
                hint="Choose a smaller model or a shorter context.",
            )
        if process.returncode is None:
            return EngineUnavailable(
                "The engine ended while it was loading this model.",
                hint="Choose a smaller model, or download this one again: it may be damaged.",
            )
        return ModelDamaged(
            "The engine stopped while it was loading this model.",
            hint="The file may be damaged. Download it again, or choose another model.",
        )

    def _take(self, report: Report) -> None:
        loaded = self._loaded
        if isinstance(report, Loaded | LoadFailed):
            if loaded is None or loaded.done():
                return
            if isinstance(report, Loaded):
                self.kept_tokens = report.kept_tokens
                loaded.set_result(report.context_length)
            else:
                loaded.set_exception(report.error)
        else:
            self._watcher.on_report(report)

    async def _keep(self, model: ModelFile) -> None:
        """Replace the process whenever it ends, for as long as `model` is wanted."""
        while True:
            if self._process is not None:
                await self._watch(self._process)
            await self._bury()
            await self._relaunch(model)
            self._watcher.on_ready()

    async def _watch(self, process: EngineProcess, limit_seconds: float | None = None) -> None:
        """Return once the process has ended; kill it when it is silent for too long.

        Silence must be seen twice: this loop may itself have been held up.
        """
        end = None if limit_seconds is None else time.monotonic() + limit_seconds
        silent_before = False
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._hang_seconds / LOOKS):
                    await process.ended()
                    return
            patience = self._hang_seconds if process.has_spoken else FIRST_WORD_SECONDS
            silent = process.silence_seconds() > patience
            if (silent and silent_before) or (end is not None and time.monotonic() > end):
                log.warning("engine_silent", pid=process.pid, seconds=patience)
                process.kill()
                await process.ended()
                return
            silent_before = silent

    async def _bury(self) -> None:
        self.state = "starting"
        self.restarts += 1
        self._watcher.on_lost()
        if (process := self._process) is not None:
            stderr = await process.end(GONE_SECONDS)
            self._process = None
            status = process.returncode
            self.last_error = (
                "The engine ended." if status is None else f"The engine stopped (status {status})."
            )
            log.warning("engine_ended", status=status, stderr=stderr)

    async def _relaunch(self, model: ModelFile) -> None:
        for attempt in count(1):
            await asyncio.sleep(self._back_off_seconds())
            self.failures += 1
            try:
                await self._launch(model)
            except AlleracError as err:
                self.state, self.last_error = "starting", err.message
                if attempt >= ATTEMPTS_UNTIL_FAILED:
                    self.state = "failed"
                    self._watcher.on_failed()
            else:
                return

    def _back_off_seconds(self) -> float:
        if self.state == "failed":
            return FAILED_BACK_OFF_SECONDS
        return BACK_OFF_SECONDS[min(self.failures, len(BACK_OFF_SECONDS) - 1)]

    async def _end_process(self) -> str:
        """Let a serving process finish, kill a loading one; returns the end of its stderr."""
        grace_seconds = END_SECONDS if self.state == "ready" else 0.0
        self.state = "stopped"
        stderr = "" if self._process is None else await self._process.end(grace_seconds)
        self._process = None
        return stderr


def _load_seconds(path: Path) -> float:
    try:
        size_bytes = path.stat().st_size
    except OSError:
        size_bytes = 0  # the process will say what is wrong with the file
    return LOAD_SECONDS + size_bytes / LOAD_BYTES_PER_SECOND
