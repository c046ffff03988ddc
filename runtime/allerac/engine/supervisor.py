"""The local `Engine`: requests go to the process that the keeper keeps alive.

While the process starts again, or another model is loaded, requests wait here. Those of which
nothing had been sent when the process died are sent again, once.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, Final

from allerac.engine.gguf import read_header
from allerac.engine.keeper import EngineKeeper
from allerac.engine.limits import check_request, check_size
from allerac.engine.pending import Pending
from allerac.engine.process import Launch, spawn
from allerac.engine.protocol import (
    EngineEvent,
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
    Calibrate,
    Calibrated,
    Cancel,
    Count,
    Counted,
    Embedded,
    Expect,
    Generate,
    Measured,
    Ranked,
    ServingReport,
    Step,
)
from allerac.errors import (
    AlleracError,
    EngineStopped,
    EngineUnavailable,
    InvalidInput,
    ModelDamaged,
)

HANG_SECONDS: Final = 6.0
"""Of silence. It is seen twice, and another process is started: 10 s are promised for all of it."""


class EngineSupervisor:
    """Implements `allerac.engine.protocol.Engine`.

    `launch` gets a process; one that is silent for `hang_seconds` is replaced. `on_step` sees every
    step frame as it arrives, without the background's events; a benchmark measures with it.
    """

    def __init__(
        self,
        *,
        launch: Launch = spawn,
        hang_seconds: float = HANG_SECONDS,
        on_step: Callable[[Step], None] | None = None,
    ) -> None:
        self._keeper = EngineKeeper(self, launch=launch, hang_seconds=hang_seconds)
        self._listeners = [] if on_step is None else [on_step]
        self._is_started = False
        self._speed = Speed()
        self._switch = asyncio.Lock()
        self._is_switching = False
        self._pending: dict[str, Pending] = {}
        self._none_sent = asyncio.Event()
        self._questions: dict[str, asyncio.Future[Any]] = {}
        self._question_numbers = count()

    # Engine

    async def start(self) -> None:
        """Be ready to load a model; the process starts with the first one."""
        self._is_started = True

    async def stop(self) -> None:
        """End running answers with `EngineStopped`, then the process."""
        self._is_started = False
        self._fail_pending(EngineStopped("Allerac is shutting down."))
        await self._keeper.halt()
        async with self._switch:  # a load that was going on has noticed by now
            await self._keeper.halt()
        self._fail_questions()
        self._fail_pending(EngineStopped("Allerac is shutting down."))

    async def load(self, model: ModelFile) -> None:
        """See `Engine.load`. A file that is no model is refused before anything is stopped."""
        if not self._is_started:
            raise EngineUnavailable("The engine is not started.")
        async with self._switch:
            if model == self._keeper.model and self._keeper.state == "ready":
                return
            self._is_switching = True
            try:
                await self._change_to(model)
            finally:
                self._is_switching = False
                self._send_held()

    async def unload(self) -> None:
        """See `Engine.unload`."""
        async with self._switch:
            self._is_switching = True
            try:
                await self._empty()
            finally:
                self._is_switching = False
                self._send_held()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[EngineEvent, None]:
        """See `Engine.generate`. While the engine starts again the request waits its turn."""
        self._check_available(request.model_id)
        self._check_request(request)
        if request.request_id in self._pending:
            raise InvalidInput("This request is being answered already.")
        pending = self._pending[request.request_id] = Pending(request)
        if self._can_send():
            self._send(pending)
        else:
            pending.put(Queued(len(self._pending), None))
        try:
            while True:
                event = await pending.next_event()
                yield event
                if isinstance(event, Finished):
                    return
        finally:
            self._forget(pending)

    async def count_tokens(self, messages: Sequence[PromptMessage]) -> int:
        """See `Engine.count_tokens`. Raises `EngineUnavailable` while no model answers."""
        if not self._can_send() or self._keeper.context_length is None:
            raise self._not_ready()
        check_size(messages, self._keeper.context_length)
        tokens: int = await self._ask(Count(self._next_id(), tuple(messages)))
        return tokens

    async def calibrate(self) -> Speed:
        """Measure the loaded model once nobody waits for it; its figures are None where it fails.

        Raises `EngineUnavailable` while no model answers, and when the process ends meanwhile.
        """
        if not self._can_send():
            raise self._not_ready()
        speed: Speed = await self._ask(Calibrate(self._next_id()))
        return speed

    def expect(self, model_id: str, *, prefill: float, decode: float) -> None:
        """Estimate waits with what was measured of a model before, in tokens a second.

        Holds for processes that start later too.
        """
        self._keeper.expect(model_id, Expect(prefill, decode))

    def listen(self, listener: Callable[[Step], None]) -> None:
        """Let `listener` see every step frame as it arrives, without the background's events."""
        self._listeners.append(listener)

    @property
    def thread_limit(self) -> int | None:
        """The lowest of the limits that are set; None where there is none."""
        return self._keeper.thread_limit

    def limit_threads(self, why: str, limit: int | None) -> None:
        """Compute with at most `limit` threads from the next step on; None takes `why` back.

        Of several reasons the lowest limit holds; without any it is as the profile says. Holds
        for processes that start later too.
        """
        self._keeper.limit_threads(why, limit)

    def forget(self, person_id: str) -> None:
        """Delete what the engine keeps of a person, who does not come back.

        What runs for them is cancelled. Where no model is loaded it happens with the next one.
        """
        self._keeper.forget(person_id)

    def keep_only(self, person_ids: Iterable[str]) -> None:
        """With the next model that is loaded, delete what is kept of everybody else."""
        self._keeper.keep_only(person_ids)

    def status(self) -> EngineStatus:
        """See `Engine.status`."""
        active = sum(pending.is_active for pending in self._pending.values())
        model = self._keeper.model
        return EngineStatus(
            state=self._keeper.state,
            model_id=model.model_id if model else None,
            context_length=self._keeper.context_length,
            active=active,
            waiting=len(self._pending) - active,
            restarts=self._keeper.restarts,
            pid=self._keeper.pid,
            last_error=self._keeper.last_error,
            speed=self._speed,
            kept_tokens=self._keeper.kept_tokens,
        )

    # Watcher of the process

    def on_report(self, report: ServingReport) -> None:
        """Hand events to those who wait for them."""
        match report:
            case Step():
                self._tell_listeners(report)
                for request_id, event in report.events:
                    self._route(request_id, event)
            case Beat(speed):
                self._speed = speed
            case Counted(request_id, answer) | Calibrated(request_id, answer):
                if asked := self._open_question(request_id):
                    asked.set_result(answer)
            case Embedded() | Measured() | Ranked():
                pass  # only the supervisor of embeddings asks for them

    def on_lost(self) -> None:
        """Decide for each request: once more, or an error that says so."""
        for pending in list(self._pending.values()):
            if not pending.survives_restart():
                self._remove(pending)
        self._fail_questions()

    def on_ready(self) -> None:
        """Send what has waited."""
        self._send_held()

    def on_failed(self) -> None:
        """Nobody shall wait for an engine that does not come back."""
        self._fail_pending(self._not_ready())

    def _tell_listeners(self, step: Step) -> None:
        """Show what people wait for; how long the background takes says nothing."""
        heard = [event for event in step.events if not self._is_background(event[0])]
        for listener in self._listeners:
            listener(Step(step.sent_at, tuple(heard)))

    def _is_background(self, request_id: str) -> bool:
        pending = self._pending.get(request_id)
        return pending is not None and pending.request.priority == "background"

    # Requests

    def _check_available(self, model_id: str) -> None:
        if self._is_switching:
            return  # held until it is known which model answers
        if self._keeper.model is None or self._keeper.state in ("stopped", "failed"):
            raise self._not_ready()
        if model_id != self._keeper.model.model_id:
            raise EngineUnavailable(
                "This model is not loaded.", hint="Choose the model that is running, or load it."
            )

    def _not_ready(self) -> EngineUnavailable:
        reason = self._keeper.last_error if self._keeper.state == "failed" else None
        if reason is None:
            return EngineUnavailable(
                "No model is ready to answer.", hint="Wait until it is loaded, or choose a model."
            )
        return EngineUnavailable(
            f"The model cannot answer. {reason}", hint="Try again, or choose another model."
        )

    def _check_request(self, request: GenerationRequest) -> None:
        if self._keeper.context_length is not None:  # otherwise once it is known
            check_request(request, self._keeper.context_length)

    def _can_send(self) -> bool:
        return self._keeper.state == "ready" and not self._is_switching

    def _send(self, pending: Pending) -> None:
        pending.is_sent = True
        self._keeper.send(Generate(pending.request))

    def _send_held(self) -> None:
        for pending in [p for p in self._pending.values() if not p.is_sent]:
            try:
                self._check_available(pending.request.model_id)
                self._check_request(pending.request)
            except AlleracError as err:
                self._fail(pending, err)
            else:
                if self._can_send():
                    self._send(pending)

    def _route(self, request_id: str, event: EngineEvent | AlleracError) -> None:
        if pending := self._pending.get(request_id):
            pending.put(event)
            if pending.has_text:
                self._keeper.failures = 0
            if isinstance(event, Finished | AlleracError):
                self._remove(pending)
        elif isinstance(event, AlleracError) and (asked := self._open_question(request_id)):
            asked.set_exception(event)

    async def _ask(self, question: Count | Calibrate) -> Any:
        asked: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._questions[question.request_id] = asked
        self._keeper.send(question)
        try:
            return await asked
        finally:
            del self._questions[question.request_id]

    def _next_id(self) -> str:
        return f"question-{next(self._question_numbers)}"

    def _open_question(self, question_id: str) -> "asyncio.Future[Any] | None":
        asked = self._questions.get(question_id)
        return None if asked is None or asked.done() else asked

    def _forget(self, pending: Pending) -> None:
        """The caller wants no more; tell the engine where the answer still goes on."""
        if self._pending.get(pending.request.request_id) is pending:
            self._remove(pending)
            if pending.is_sent:
                self._keeper.send(Cancel(pending.request.request_id))

    def _fail(self, pending: Pending, error: AlleracError) -> None:
        self._remove(pending)
        pending.put(error)

    def _remove(self, pending: Pending) -> None:
        del self._pending[pending.request.request_id]
        if not self._is_answering():
            self._none_sent.set()

    def _is_answering(self) -> bool:
        return any(pending.is_sent for pending in self._pending.values())

    def _fail_pending(self, error: AlleracError) -> None:
        for pending in list(self._pending.values()):
            self._fail(pending, error)

    def _fail_questions(self) -> None:
        for question_id in self._questions:
            if asked := self._open_question(question_id):
                asked.set_exception(self._not_ready())

    # Models

    async def _empty(self) -> None:
        """Let running answers finish, then end the process; new ones are held meanwhile."""
        while self._is_answering():
            self._none_sent.clear()
            await self._none_sent.wait()
        await self._keeper.halt()
        self._fail_questions()

    async def _change_to(self, model: ModelFile) -> None:
        """Run `model`; where it fails, the one from before, or a state that says why not."""
        previous = self._keeper.model
        try:
            await asyncio.to_thread(read_header, model.path)
            await self._empty()
            await self._begin(model)
        except (ModelDamaged, EngineUnavailable) as err:
            if previous is not None and self._keeper.model is None:
                with suppress(AlleracError):
                    await self._begin(previous)
            if self._keeper.model is None and self._is_started:
                self._keeper.give_up(err)
            raise

    async def _begin(self, model: ModelFile) -> None:
        if not self._is_started:
            raise EngineUnavailable("The engine is shutting down.")
        await self._keeper.begin(model)
