"""The loop that owns the context: every answer gets its tokens, one step after another.

cancellations, arrivals, admission, a piece of what was read before from disk
one token for each streaming answer, then prompts in chunks bounded by time
llama_decode, sample, push
"""

import queue
import time
from collections.abc import Callable, Sequence
from typing import Final

from allerac.engine.admission import Admission
from allerac.engine.answer import Answer, Ticket
from allerac.engine.calibration import Calibration
from allerac.engine.fairness import TOKEN_SECONDS, FairShare, WaitingLine
from allerac.engine.filling import Chunk, Filling
from allerac.engine.forecast import Forecast
from allerac.engine.llama import Batch, Context, Model
from allerac.engine.memory import PromptMemory
from allerac.engine.pace import Pace
from allerac.engine.prefix_disk import DiskPrefixes, Store
from allerac.engine.protocol import EngineEvent, FinishReason, Speed
from allerac.errors import AlleracError, QueueFull

WAITING_LIMIT: Final = 64
_DONE, _NO_ROOM, _ABORTED = 0, 1, 2

Events = list[tuple[str, EngineEvent | AlleracError]]


class ComputeError(Exception):
    """llama.cpp could not compute a batch; the process must start again."""


class Scheduler:
    """Serves up to `sequences` answers at once from one context, in the thread that calls `run`."""

    def __init__(
        self,
        model: Model,
        context: Context,
        *,
        sequences: int,
        push: Callable[[Events], None],
        store: Store | None = None,
        guesses: bool = True,
    ) -> None:
        self._model = model
        self._context = context
        self._admission = Admission(cells=context.cells, sequences=sequences)
        self._push = push
        self._batch = Batch(context.batch)
        self._memory = PromptMemory(context, cells=context.cells, sequences=sequences)
        self._disk: DiskPrefixes | None = None
        if store is not None:
            self._disk = DiskPrefixes(
                context, store, passage=self._memory.passage, on_kept=self._wake
            )
        self._pace = Pace()
        self._share = FairShare()
        self._filling = Filling(
            self._batch,
            memory=self._memory,
            pace=self._pace,
            share=self._share,
            guesses=guesses and model.forgets_parts,
        )
        self._forecast = Forecast(
            self._pace, self._share, sequences=sequences, step_tokens=self._batch.capacity
        )
        self._waiting = WaitingLine(self._share)
        self._running: list[Answer] = []
        self._inbox: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._events: Events = []
        self._reading_alone: frozenset[Ticket] = frozenset()
        self._is_in_background = False
        self._stopping = False
        self._computing_seconds = 0.0
        self._threads: tuple[int, int] | None = None
        self._expected: Speed | None = None
        self._forgotten: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._gone: set[str] = set()
        self._on_measured: Callable[[Speed], None] | None = None
        self._calibration: Calibration | None = None
        self.steps = 0

    # From other threads

    def submit(self, answer: Answer) -> None:
        """Queue `answer`; its events are pushed from now on."""
        self._inbox.put(answer)
        if self._calibration is not None or (self._is_in_background and not answer.is_background):
            self._context.abort(on=True)

    def cancel(self, ticket: Ticket) -> None:
        """End the answer of `ticket` before the next step, or within a long prefill."""
        ticket.cancelled = True
        if ticket in self._reading_alone:
            self._context.abort(on=True)
        self._inbox.put(None)

    def stop(self) -> None:
        """Let `run` return, within a graph node if it is computing."""
        self._stopping = True
        self._context.abort(on=True)
        self._inbox.put(None)

    def set_threads(self, decode: int, prefill: int) -> None:
        """Compute with this many from the next step on."""
        self._threads = (decode, prefill)
        self._wake()

    def expect(self, speed: Speed) -> None:
        """Estimate with what was measured before, until something is measured now."""
        self._expected = speed
        self._wake()

    def forget(self, person: str) -> None:
        """Cancel what is made for a person and drop what is kept; nothing is made any more."""
        self._forgotten.put(person)
        self._wake()

    def _wake(self) -> None:
        self._inbox.put(None)

    def calibrate(self, on_measured: Callable[[Speed], None]) -> None:
        """Measure the speed while nobody waits for anything, then call `on_measured`."""
        self._on_measured = on_measured
        self._wake()

    def is_idle(self) -> bool:
        return not self._running and not len(self._waiting)

    def is_resting(self) -> bool:
        """Whether there is nothing to do, and nothing has come that was not looked at."""
        return self.is_idle() and self._inbox.empty()

    def speed(self) -> Speed:
        return self._pace.speed()

    # In the thread that owns the context

    def run(self) -> None:
        """Work until `stop`. Raises `ComputeError` when llama.cpp fails."""
        while not self._stopping:
            self._receive()
            began = time.monotonic()
            self._change_threads()
            self._learn_expected()
            self._drop_cancelled()
            self._forget()
            self._admit()
            self._announce_positions()
            if self._disk is not None:
                self._disk.restore(self._running)
            self._step()
            self._calibrate()
            self.steps += 1
            if self._events:
                events, self._events = self._events, []
                self._push(events)
            if self._computing_seconds:
                self._pace.record_overhead(self._computing_seconds, time.monotonic() - began)
                self._computing_seconds = 0.0

    def _receive(self) -> None:
        """Take what has arrived; waits for it when there is nothing to do."""
        busy = not self.is_resting()
        wait = not self._save(is_busy=busy) and not busy and self._on_measured is None
        while True:
            try:
                answer = self._inbox.get(block=wait)
            except queue.Empty:
                return
            wait = False
            if answer is None:
                continue
            if len(self._waiting) >= WAITING_LIMIT:
                full = QueueFull("Too many questions are waiting.", hint="Try again in a moment.")
                self._events.append((answer.id, full))
                answer.sampler.free()
                continue
            answer.ticket.cancelled |= answer.person in self._gone
            self._share.enter(answer.person)
            self._waiting.add(answer)

    def _save(self, *, is_busy: bool) -> bool:
        """Send a piece of what was read to disk; False when there is nothing to do about it."""
        if self._disk is None or self._calibration is not None:
            return False
        return self._disk.save(self._memory.idle(), is_busy=is_busy)

    def _calibrate(self) -> None:
        """Compute a piece of a measurement that was asked for; it begins anew after an answer."""
        on_measured, calibration = self._on_measured, self._calibration
        if on_measured is None:
            return
        if not self.is_resting():
            if calibration is not None:
                calibration.stop()
                self._calibration = None
            return
        if calibration is None:
            self._calibration = calibration = Calibration(
                self._context,
                self._batch,
                sequence=self._memory.passage,
                vocabulary_size=self._model.vocabulary_size,
            )
        self._memory.make_room(calibration.cells)
        self._context.abort(on=self._stopping or not self._inbox.empty())
        speed = calibration.step()
        if speed is not None:
            self._calibration = self._on_measured = None
            self._pace.learn(speed)
            on_measured(speed)

    def _change_threads(self) -> None:
        threads, self._threads = self._threads, None
        if threads is not None:
            self._context.set_threads(*threads)

    def _learn_expected(self) -> None:
        expected, self._expected = self._expected, None
        if expected is not None:
            self._pace.learn(expected)

    def _forget(self) -> None:
        while not self._forgotten.empty():
            person = self._forgotten.get()
            self._gone.add(person)
            for answer in [*self._running, *self._waiting]:
                answer.ticket.cancelled |= answer.person == person
            self._drop_cancelled()
            self._memory.forget(person)

    def _drop_cancelled(self) -> None:
        for answer in [a for a in self._running if a.ticket.cancelled]:
            self._finish(answer, "cancelled")
        for answer in [a for a in self._waiting if a.ticket.cancelled]:
            self._waiting.remove(answer)
            self._close(answer, "cancelled")

    def _admit(self) -> None:
        """Let answers run while there is room; what they are told knows of all of them."""
        admitted: list[Answer] = []
        while (answer := self._waiting.first()) is not None and self._find_place(answer):
            self._waiting.remove(answer)
            admitted.append(answer)
            self._memory.begin(answer, self._running)
            self._running.append(answer)
            self._memory.make_room(self._admission.reserved(self._running))
            if self._disk is not None:
                self._memory.put_aside(self._disk.keeps)
                self._disk.plan(answer)
            if not answer.completion_tokens:
                answer.cached_tokens = answer.read
        for answer in admitted:
            if answer in self._running:
                self._report_reading(answer)

    def _find_place(self, answer: Answer) -> bool:
        """Return whether `answer` can run, if need be because another one waits for it.

        What that one has read is kept for as long as there is room.
        """
        if self._admission.fits(answer, self._running):
            return True
        victim = self._admission.victim(answer, self._running)
        if victim is None:
            return False
        self._running.remove(victim)
        self._memory.end(victim)
        self._waiting.add(victim)
        return True

    def _announce_positions(self) -> None:
        for answer, queued in self._forecast.queued(list(self._waiting), self._running):
            self._events.append((answer.id, queued))

    def _step(self) -> None:
        chunks = self._filling.fill(self._running)
        if not chunks:
            return
        streaming = sum(chunk.answer.is_streaming for chunk in chunks)
        alone = frozenset() if streaming else frozenset(c.answer.ticket for c in chunks)
        self._is_in_background = bool(alone) and all(c.answer.is_background for c in chunks)
        self._context.abort(on=False)
        if self._stopping or (self._is_in_background and not self._inbox.empty()):
            return
        self._reading_alone = alone
        started = time.monotonic()
        code = self._context.decode(self._batch)
        self._reading_alone, self._is_in_background = frozenset(), False
        if code == _NO_ROOM:
            self._give_way()
        elif code not in (_DONE, _ABORTED):
            raise ComputeError(f"llama_decode returned {code}")
        if code == _DONE:
            self._computing_seconds = seconds = time.monotonic() - started
            guessed = sum(len(chunk.guess) for chunk in chunks)
            prefill = self._batch.size - streaming - guessed
            longest = max(chunk.answer.read for chunk in chunks)
            self._pace.record_step(
                streaming + guessed, prefill, seconds, self._filling.people, longest=longest
            )
            self._share.token_seconds = self._pace.prompt_token_seconds or TOKEN_SECONDS
            self._take(chunks, seconds)

    def _give_way(self) -> None:
        """The context is full: forget something idle, or let one answer wait. Never all."""
        if self._memory.evict():
            return
        if len(self._running) > 1:
            last = max(self._running, key=lambda a: (a.rank, a.order))
            self._running.remove(last)
            self._memory.drop(last)
            self._waiting.add(last)
        else:
            self._finish(self._running[0], "length")

    def _take(self, chunks: Sequence[Chunk], seconds: float) -> None:
        each = seconds / self._batch.size
        for chunk in chunks:
            answer = chunk.answer
            answer.read += chunk.tokens
            answer.stepped = self.steps
            self._share.charge(answer.person, chunk.rows * each)
            if answer.unread:
                self._report_reading(answer)
            else:
                self._sample(answer, chunk)

    def _report_reading(self, answer: Answer) -> None:
        if not answer.completion_tokens:
            self._events.append((answer.id, self._forecast.reading(answer, self._running)))

    def _sample(self, answer: Answer, chunk: Chunk) -> None:
        """Say the next token, and those after it for as long as they were guessed right."""
        goes_on, row = True, chunk.row
        for row, guessed in enumerate([*chunk.guess, None], chunk.row):
            token = self._choose(answer, row)
            goes_on = self._say(answer, token)
            if token != guessed or not goes_on:
                break
            answer.read += 1
        if chunk.guess:
            answer.quoting.checked(len(chunk.guess), row - chunk.row)
            if goes_on:
                self._context.remove(answer.sequence, answer.read)

    def _choose(self, answer: Answer, row: int) -> int:
        began = time.monotonic()
        token = answer.sampler.sample(self._context, row)
        self._computing_seconds += time.monotonic() - began
        return token

    def _say(self, answer: Answer, token: int) -> bool:
        """Let `answer` say `token`; False when that was its end."""
        if self._model.ends_answer(token):
            self._finish(answer, "stop")
            return False
        delta = answer.append(token, self._model.piece(token))
        if delta:
            self._events.append((answer.id, delta))
        if answer.is_stopped:
            self._finish(answer, "stop")
        elif answer.completion_tokens >= answer.limit:
            self._finish(answer, "length")
        else:
            return True
        return False

    def _finish(self, answer: Answer, reason: FinishReason) -> None:
        self._running.remove(answer)
        self._memory.end(answer)
        if reason != "cancelled":
            self._forecast.finished(answer)
        self._close(answer, reason)

    def _close(self, answer: Answer, reason: FinishReason) -> None:
        answer.sampler.free()
        if rest := answer.rest():
            self._events.append((answer.id, rest))
        self._events.append((answer.id, answer.finished(reason)))
        self._share.keep(a.person for a in [*self._running, *self._waiting])
