"""Loads one model and answers commands: three threads, one of which owns the context."""

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol
from weakref import WeakValueDictionary

from allerac.engine.answer import Ticket
from allerac.engine.channel import Channel
from allerac.engine.gguf import GgufHeader, read_header
from allerac.engine.intake import Intake
from allerac.engine.isolation import STATE_VARIABLE
from allerac.engine.limits import address_space_bytes
from allerac.engine.llama import Batch, Context, LoadError, Log, Model
from allerac.engine.memory import SEQUENCES_BESIDE
from allerac.engine.movement import Movement
from allerac.engine.prefix_file import owner_of
from allerac.engine.prefix_key import prefix_key
from allerac.engine.prefix_store import PrefixStore, sweep
from allerac.engine.protocol import ModelFile, Speed
from allerac.engine.sampling import numbers_are_sound
from allerac.engine.scheduler import Events, Scheduler
from allerac.engine.threads import ThreadPolicy
from allerac.engine.wire import (
    Calibrate,
    Calibrated,
    Cancel,
    Command,
    Count,
    Counted,
    Expect,
    Forget,
    Generate,
    KeepOnly,
    Loaded,
    SetThreads,
    Step,
)
from allerac.errors import AlleracError, EngineUnavailable, ModelDamaged

BATCH_TOKENS: Final = 512
JOIN_SECONDS: Final = 5.0
INTAKE_STACK_BYTES: Final = 16 << 20  # some tokenizers recurse once per letter of a word
SWITCH_SECONDS: Final = 0.001  # how long a prompt being prepared may hold up the loop

_UNKNOWN = ModelDamaged(
    "The engine cannot run this model.",
    hint="The file may be damaged or of a kind that is not known yet. Choose another model.",
)


class Pulse(Protocol):
    """What tells the runtime that this process is alive."""

    is_alive: Callable[[], bool]
    speed: Callable[[], Speed]


def _no_memory() -> EngineUnavailable:
    return EngineUnavailable(
        "There is not enough memory for this model.",
        hint="Choose a smaller model or a shorter context.",
    )


class Service:
    """A loaded model. Raises `ModelDamaged` or `EngineUnavailable` when it cannot be loaded."""

    def __init__(
        self, file: ModelFile, channel: Channel, pulse: Pulse, die: Callable[[BaseException], None]
    ) -> None:
        self._channel = channel
        self._die = die
        self._model, self._context = load_model(file)
        length = min(file.context_length, self._model.trained_context_length)
        self._intake = Intake(self._model, length)
        self._store = _prefix_store(file, self._model)
        self._scheduler = Scheduler(
            self._model,
            self._context,
            sequences=file.sequences,
            push=self._push,
            store=self._store,
            guesses=file.guesses,
        )
        self._threads = ThreadPolicy(file.threads, file.prefill_threads or file.threads)
        self._tickets: WeakValueDictionary[str, Ticket] = WeakValueDictionary()
        self._jobs: queue.SimpleQueue[Ticket | Count | None] = queue.SimpleQueue()
        pulse.speed = self._scheduler.speed
        loop = self._scheduler
        pulse.is_alive = Movement(is_idle=loop.is_resting, steps=lambda: loop.steps)
        channel.send(Loaded(length, _kept_tokens(file) if self._store else 0))

    def serve(self, commands: Iterator[Command]) -> None:
        """Answer `commands` until they end, then free everything."""
        sys.setswitchinterval(SWITCH_SECONDS)
        loop = self._thread(self._scheduler.run, "loop")
        threading.stack_size(INTAKE_STACK_BYTES)
        intake = self._thread(self._take_in, "intake")
        threading.stack_size(0)
        try:
            for command in commands:
                self._obey(command)
        except Exception as err:  # noqa: BLE001 - the other threads would wait and beat for ever
            self._die(err)
        self._scheduler.stop()
        self._jobs.put(None)
        for thread in (loop, intake):
            thread.join(JOIN_SECONDS)
            if thread.is_alive():
                self._die(TimeoutError())
        if self._store is not None:
            self._store.close()
        self._context.free()
        self._model.free()

    def _thread(self, target: Callable[[], None], name: str) -> threading.Thread:
        def run() -> None:
            try:
                target()
            except ConnectionError:
                pass  # the runtime is gone, and this process ends with it
            except BaseException as err:  # noqa: BLE001 - the boundary of a thread: end, start anew
                self._die(err)

        thread = threading.Thread(target=run, name=name)
        thread.start()
        return thread

    def _obey(self, command: Command) -> None:
        match command:
            case Generate(request):
                ticket = self._tickets[request.request_id] = Ticket(request)
                self._jobs.put(ticket)
            case Cancel(request_id):
                if found := self._tickets.get(request_id):
                    self._scheduler.cancel(found)
            case Count():
                self._jobs.put(command)
            case Forget() | KeepOnly():
                self._delete(command)
            case _:
                self._tune(command)

    def _tune(self, command: Command) -> None:
        """Obey what is about how fast it computes."""
        match command:
            case Calibrate(request_id):
                self._scheduler.calibrate(lambda s: self._channel.send(Calibrated(request_id, s)))
            case Expect(prefill, decode):
                self._scheduler.expect(Speed(prefill, decode))
            case SetThreads(limit):
                self._scheduler.set_threads(*self._threads.limited(limit))
            case _:
                raise ValueError("one model for a whole life")

    def _delete(self, command: Forget | KeepOnly) -> None:
        """Delete what is kept of people; where this model keeps nothing, what others have read."""
        store, folder = self._store, _prefix_folder()
        match command:
            case Forget(person_id):
                self._scheduler.forget(person_id)
                if store is not None:
                    store.forget(person_id)
                elif folder is not None:
                    sweep(folder, lambda owner: owner != owner_of(person_id))
            case KeepOnly(person_ids):
                if store is not None:
                    store.keep_only(person_ids)
                elif folder is not None:
                    sweep(folder, set(map(owner_of, person_ids)).__contains__)

    def _take_in(self) -> None:
        while (job := self._jobs.get()) is not None:
            if isinstance(job, Count):
                self._count(job)
            elif not job.cancelled:
                self._prepare(job)

    def _count(self, job: Count) -> None:
        try:
            self._channel.send(Counted(job.request_id, self._intake.count(job.messages)))
        except AlleracError as err:
            self._push([(job.request_id, err)])

    def _prepare(self, ticket: Ticket) -> None:
        try:
            self._scheduler.submit(self._intake.answer(ticket))
        except AlleracError as err:
            self._push([(ticket.request.request_id, err)])

    def _push(self, events: Events) -> None:
        self._channel.send(Step(time.monotonic(), tuple(events)))


def load_model(file: ModelFile) -> tuple[Model, Context]:
    """Check, load, and compute one token, so that broken weights show here.

    Whichever thread computes gets a team of OpenMP threads, for life. With more of them than
    processors libgomp no longer spins at its barriers (`gomp_managed_threads`, team.c) but sleeps
    at each, hundreds of times a token. So the one team there is belongs to the loop.
    """
    header = read_header(file.path)
    _check_memory(file, header)
    log = Log()
    try:
        model = Model(file.path, log)
    except LoadError as err:
        raise _UNKNOWN from err
    if model.has_encoder or not header.vocabulary_size:
        raise ModelDamaged("This model cannot chat.", hint="Choose another model.")
    length = min(file.context_length, model.trained_context_length)
    try:
        context = Context(
            model,
            log,
            cells=max(length, file.cache_tokens or 0),
            sequences=file.sequences + SEQUENCES_BESIDE,
            batch=min(BATCH_TOKENS, length),
            threads=file.threads,
            prefill_threads=file.prefill_threads or file.threads,
            kv_type=file.kv_type,
        )
    except (LoadError, MemoryError) as err:
        raise _no_memory() from err
    with ThreadPoolExecutor(1) as thread_that_ends:
        thread_that_ends.submit(_try_one_token, context).result()
    return model, context


def _prefix_store(file: ModelFile, model: Model) -> PrefixStore | None:
    folder = _prefix_folder()
    if folder is None or not file.prefix_store_bytes or not model.forgets_parts:
        return None
    key = prefix_key(file.path, file.kv_type)
    return PrefixStore(folder, key, limit_bytes=file.prefix_store_bytes)


def _kept_tokens(file: ModelFile) -> int:
    """How many tokens the store has room for; with a smaller cache type there is more."""
    bytes_per_token = read_header(file.path).kv_bytes_per_token
    return file.prefix_store_bytes // bytes_per_token if bytes_per_token else 0


def _prefix_folder() -> Path | None:
    """Where this process may keep what it has read; systemd, or who starts it, names the place."""
    folder = os.environ.get(STATE_VARIABLE)
    return Path(folder) / "prefixes" if folder else None


def _check_memory(file: ModelFile, header: GgufHeader) -> None:
    if file.memory_limit_bytes is None:
        return
    cells = max(file.context_length, file.cache_tokens or 0)
    needed = header.tensor_bytes + cells * (header.kv_bytes_per_token or 0)
    threads = max(file.threads, file.prefill_threads or 0)
    if address_space_bytes(needed, threads=threads) > file.memory_limit_bytes:
        raise _no_memory()


def _try_one_token(context: Context) -> None:
    batch = Batch(1)
    row = batch.add([0], 0, 0, outputs=1)
    if context.decode(batch) != 0 or not numbers_are_sound(context, row):
        raise ModelDamaged(
            "The weights of this model are damaged.",
            hint="Download it again, or choose another model.",
        )
    context.remove(0)
