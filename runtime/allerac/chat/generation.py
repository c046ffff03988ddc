"""Making answers: server tasks that go on whether or not anyone listens.

Text is stored at least every second together with the sequence of the last event that it contains;
`done` and `error` are published after the final row is committed, so that whoever sees the end and
reads the row finds all of it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import structlog

from allerac.engine.protocol import (
    Delta,
    Engine,
    EngineEvent,
    Finished,
    GenerationRequest,
    PromptMessage,
    Sampling,
)
from allerac.errors import AlleracError, QueueFull, StorageUnavailable
from allerac.events import EventLog, EventLogs
from allerac.storage.conversations import AnswerUpdate, ConversationStore

from .history import History
from .records import ModelResolver
from .telling import problem_of, progress_of, usage_of

log = structlog.get_logger()

SAVE_SECONDS = 1.0
RETRY_SECONDS = 2.0
FINAL_SAVE_TRIES = 3
PER_PERSON = 4
"""Answers that one person may have running or waiting at once."""

Status = Literal["complete", "stopped", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Job:
    """One answer to make; `answer_id` names both the message and its generation.

    `messages` are `history` as the model gets it; `sources` what it was found in.
    """

    answer_id: str
    conversation_id: str
    person_id: str
    model_id: str
    history: History
    messages: tuple[PromptMessage, ...]
    sampling: Sampling
    sources: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Draft:
    """The answer as far as it has come."""

    text: str = ""
    saved_sequence: int = 0
    finished: Finished | None = None
    stopping: Status | None = None


@dataclass(slots=True)
class Running:
    """A generation that has not ended."""

    job: Job
    log: EventLog
    draft: Draft = field(default_factory=Draft)
    producer: asyncio.Task[None] | None = None
    task: asyncio.Task[None] | None = None

    def end(self, status: Status) -> None:
        """Ask the generation to end with `status`; the first to ask decides."""
        if self.draft.stopping is None:
            self.draft.stopping = status
            if self.producer is not None:
                self.producer.cancel()


class Generations:
    """All answers that are being made."""

    def __init__(
        self,
        *,
        store: ConversationStore,
        engine: Engine,
        models: ModelResolver,
        logs: EventLogs,
        prepare: Callable[[Job], Awaitable[Job]],
        on_complete: Callable[[Job], None],
        save_seconds: float = SAVE_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._store = store
        self._engine = engine
        self._models = models
        self._logs = logs
        self._prepare = prepare
        self._on_complete = on_complete
        self._save_seconds = save_seconds
        self._retry_seconds = retry_seconds
        self._running: dict[str, Running] = {}
        self._reserved: dict[str, int] = {}

    @contextlib.contextmanager
    def place(self, person_id: str) -> Any:
        """Hold a place for an answer of this person. Raises `QueueFull` when there is none."""
        taken = sum(run.job.person_id == person_id for run in self._running.values())
        if taken + self._reserved.get(person_id, 0) >= PER_PERSON:
            raise QueueFull(
                "Several of your answers are still being made.",
                hint="Wait for one to end, or stop it.",
            )
        self._reserved[person_id] = self._reserved.get(person_id, 0) + 1
        try:
            yield
        finally:
            self._reserved[person_id] -= 1
            if not self._reserved[person_id]:
                del self._reserved[person_id]

    def start(self, job: Job) -> None:
        """Begin to make an answer; returns at once."""
        run = Running(job, self._logs.open(job.answer_id))
        self._running[job.answer_id] = run
        run.task = asyncio.create_task(self._run(run), name=f"answer-{job.answer_id}")

    async def stop(self, answer_id: str) -> None:
        """Stop an answer and return when its end has been told; what has been said stays."""
        run = self._running.get(answer_id)
        if run is not None:
            run.end("stopped")
            async for _ in run.log.follow(run.log.last_sequence):
                pass

    async def close(self) -> None:
        """End and store everything that is running."""
        tasks = [run.task for run in self._running.values() if run.task is not None]
        for run in list(self._running.values()):
            run.end("interrupted")
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=10)
            for task in late:
                task.cancel()

    async def _run(self, run: Running) -> None:
        try:
            run.producer = asyncio.create_task(self._produce(run))
            if run.draft.stopping is not None:
                run.producer.cancel()
            while True:
                done, _ = await asyncio.wait({run.producer}, timeout=self._save_seconds)
                if done:
                    break
                await self._save_progress(run)
            await self._finish(run, self._failure(run))
        except Exception:  # the boundary of a background task
            log.exception("generation_crashed", generation=run.job.answer_id)
            if not run.log.is_finished:
                run.log.append("error", problem_of(AlleracError("Something went wrong.")))
        finally:
            if run.producer is not None:
                run.producer.cancel()
            self._running.pop(run.job.answer_id, None)
            self._logs.finish(run.job.answer_id)

    async def _produce(self, run: Running) -> None:
        await self._models.ensure_loaded(run.job.model_id)
        run.job = job = await self._prepare(run.job)
        if job.sources is not None:
            run.log.append("sources", dict(job.sources))
        request = GenerationRequest(
            request_id=job.answer_id,
            model_id=job.model_id,
            person_id=job.person_id,
            messages=job.messages,
            sampling=job.sampling,
        )
        async with contextlib.aclosing(self._engine.generate(request)) as events:
            async for event in events:
                _record(run, event)

    def _failure(self, run: Running) -> AlleracError | None:
        producer = run.producer
        if producer is None or producer.cancelled():
            return None
        error = producer.exception()
        if error is None or isinstance(error, AlleracError):
            return error
        log.error("generation_failed", generation=run.job.answer_id, exc_info=error)
        return AlleracError("Something went wrong while answering.", hint="Ask again.")

    async def _save_progress(self, run: Running) -> None:
        sequence = run.log.last_sequence
        if sequence == run.draft.saved_sequence:
            return
        update = AnswerUpdate(content=run.draft.text, sequence=sequence, status="streaming")
        try:
            await self._store.save_answer(run.job.answer_id, update)
            run.draft.saved_sequence = sequence
        except StorageUnavailable as error:
            log.warning("answer_not_saved_yet", generation=run.job.answer_id, reason=str(error))

    async def _finish(self, run: Running, failure: AlleracError | None) -> None:
        draft, finished = run.draft, run.draft.finished
        status: Status = "failed" if failure else (draft.stopping or "complete")
        if finished is not None and failure is None:
            status = "complete"
        problem = problem_of(failure) if failure else None
        if status == "interrupted":
            problem = INTERRUPTED
        usage = usage_of(finished) if finished else None
        update = AnswerUpdate(
            content=draft.text,
            sequence=run.log.last_sequence + 1,
            status=status,
            error=problem,
            usage=usage,
        )
        if not await self._save_final(run, update):
            return
        if problem is not None:
            run.log.append("error", problem)
            return
        reason = finished.reason if finished else "cancelled"
        run.log.append("done", {"status": status, "finish_reason": reason, "usage": usage})
        if status == "complete":
            self._on_complete(run.job)

    async def _save_final(self, run: Running, update: AnswerUpdate) -> bool:
        """Store the end; when the disk will not take it, say so and keep trying."""
        tries = 0
        while True:
            try:
                await self._store.save_answer(run.job.answer_id, update)
            except StorageUnavailable as error:
                tries += 1
                if tries == FINAL_SAVE_TRIES:
                    run.log.append("error", problem_of(error))
                if run.draft.stopping == "interrupted":
                    return False
                await asyncio.sleep(self._retry_seconds)
            else:
                return not run.log.is_finished


INTERRUPTED: dict[str, Any] = {
    "code": "interrupted",
    "message": "The box stopped while it was answering.",
    "hint": "Ask again.",
    "retriable": True,
}


def _record(run: Running, event: EngineEvent) -> None:
    told = progress_of(event)
    if told is not None:
        run.log.append(*told)
    if isinstance(event, Delta):
        run.draft.text += event.text
    elif isinstance(event, Finished):
        # Nothing is ever offered here, so a call is made up; it ends the answer and no more.
        is_call = event.reason == "tool_calls"
        run.draft.finished = replace(event, reason="stop") if is_call else event
