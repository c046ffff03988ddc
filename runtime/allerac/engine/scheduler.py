"""The loop that owns the context: every answer gets its tokens, one step after another.

cancellations, arrivals, admission
one token for each streaming answer, then prompts in chunks bounded by time
llama_decode, sample, push
"""

import queue
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from allerac.engine.answer import Answer, Ticket
from allerac.engine.fairness import FairShare, WaitingLine
from allerac.engine.llama import Batch, Context, Model
from allerac.engine.memory import PromptMemory
from allerac.engine.pace import Pace
from allerac.engine.protocol import EngineEvent, FinishReason, Queued, Reading, Speed
from allerac.errors import AlleracError, QueueFull

WAITING_LIMIT: Final = 64
FEW_WORDS_OF_SHARE: Final = 4  # a quarter of it: of a share of 1,024 tokens, some 190 words
_DONE, _NO_ROOM, _ABORTED = 0, 1, 2

Events = list[tuple[str, EngineEvent | AlleracError]]


class ComputeError(Exception):
    """llama.cpp could not compute a batch; the process must start again."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """`tokens` tokens of `answer` in the batch, the last of them at `row`."""

    answer: Answer
    tokens: int
    row: int


class Scheduler:
    """Serves up to `sequences` answers at once from one context, in the thread that calls `run`."""

    def __init__(
        self, model: Model, context: Context, *, sequences: int, push: Callable[[Events], None]
    ) -> None:
        self._model = model
        self._context = context
        self._sequences = sequences
        self._push = push
        self._batch = Batch(context.batch)
        self._memory = PromptMemory(context, cells=context.cells, sequences=sequences)
        self._pace = Pace()
        self._share = FairShare()
        self._waiting = WaitingLine(self._share)
        self._running: list[Answer] = []
        self._inbox: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._events: Events = []
        self._reading_alone: frozenset[Ticket] = frozenset()
        self._stopping = False
        self._threads: tuple[int, int] | None = None
        self.steps = 0

    # From other threads

    def submit(self, answer: Answer) -> None:
        """Queue `answer`; its events are pushed from now on."""
        self._inbox.put(answer)

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
        self._inbox.put(None)

    def is_idle(self) -> bool:
        return not self._running and not len(self._waiting)

    def speed(self) -> Speed:
        return self._pace.speed()

    # In the thread that owns the context

    def run(self) -> None:
        """Work until `stop`. Raises `ComputeError` when llama.cpp fails."""
        while not self._stopping:
            self._receive()
            self._change_threads()
            self._drop_cancelled()
            self._admit()
            self._announce_positions()
            self._step()
            self.steps += 1
            if self._events:
                events, self._events = self._events, []
                self._push(events)

    def _receive(self) -> None:
        """Take what has arrived; waits for it when there is nothing to do."""
        wait = self.is_idle()
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
            self._share.enter(answer.person)
            self._waiting.add(answer)

    def _change_threads(self) -> None:
        threads, self._threads = self._threads, None
        if threads is not None:
            self._context.set_threads(*threads)

    def _drop_cancelled(self) -> None:
        for answer in [a for a in self._running if a.ticket.cancelled]:
            self._finish(answer, "cancelled")
        for answer in [a for a in self._waiting if a.ticket.cancelled]:
            self._waiting.remove(answer)
            self._close(answer, "cancelled")

    def _admit(self) -> None:
        while (answer := self._waiting.first()) is not None:
            if not self._fits(answer) and not self._preempt_background(answer):
                return
            self._waiting.remove(answer)
            answer.admitted_at = answer.admitted_at or time.monotonic()
            self._memory.begin(answer, self._running)
            self._running.append(answer)
            self._memory.make_room(sum(map(self._reserved, self._running)))
            if not answer.completion_tokens:
                answer.cached_tokens = answer.read
                self._report_reading(answer)

    def _fits(self, answer: Answer) -> bool:
        if not self._running:
            return True
        reserved = sum(map(self._reserved, [*self._running, answer]))
        return len(self._running) < self._sequences and reserved <= self._context.cells

    def _reserved(self, answer: Answer) -> int:
        """Cells kept for `answer`: its share of the context, or its prompt and a few words more.

        Beyond that an answer goes on as long as there is room.
        """
        share = self._context.cells // self._sequences
        whole = answer.prompt_tokens + answer.limit
        promised = min(whole, max(share, answer.prompt_tokens + share // FEW_WORDS_OF_SHARE))
        return min(max(promised, len(answer.tokens) + 1), self._context.cells)

    def _preempt_background(self, answer: Answer) -> bool:
        """Make way for `answer` where only less urgent background work stands in it."""
        background = [a for a in self._running if a.ticket.request.priority == "background"]
        if answer.ticket.request.priority == "background" or not background:
            return False
        self._preempt(max(background, key=lambda a: a.order))
        return self._fits(answer)

    def _preempt(self, answer: Answer) -> None:
        self._running.remove(answer)
        self._memory.drop(answer)
        self._waiting.add(answer)

    def _announce_positions(self) -> None:
        for position, answer in enumerate(self._waiting, 1):
            if answer.position != position and not answer.completion_tokens:
                answer.position = position
                eta = self._pace.wait_seconds(position, self._sequences)
                self._events.append((answer.id, Queued(position, eta)))

    def _step(self) -> None:
        chunks = self._fill()
        if not chunks:
            return
        streaming = sum(chunk.answer.is_streaming for chunk in chunks)
        alone = frozenset() if streaming else frozenset(c.answer.ticket for c in chunks)
        self._context.abort(on=False)
        if self._stopping:
            return
        self._reading_alone = alone
        started = time.monotonic()
        code = self._context.decode(self._batch)
        self._reading_alone = frozenset()
        if code == _NO_ROOM:
            self._give_way()
        elif code not in (_DONE, _ABORTED):
            raise ComputeError(f"llama_decode returned {code}")
        if code == _DONE:
            self._pace.record_step(
                streaming, self._batch.size - streaming, time.monotonic() - started
            )
            self._take(chunks)

    def _fill(self) -> list[_Chunk]:
        """Fill the batch: streaming answers first, then prompts by whose turn it is."""
        self._batch.clear()
        streaming = [answer for answer in self._running if answer.is_streaming]
        chunks = [self._add(answer, 1) for answer in streaming]
        room = min(self._batch.room, self._pace.chunk(len(streaming)))
        reading = (answer for answer in self._running if not answer.is_streaming)
        for answer in sorted(reading, key=self._share.key):
            size = min(room, answer.unread)
            if size <= 0:
                break
            chunks.append(self._add(answer, size))
            room -= size
        return chunks

    def _add(self, answer: Answer, size: int) -> _Chunk:
        end = answer.read + size
        last = end == len(answer.tokens)
        row = self._batch.add(
            answer.tokens[answer.read : end], answer.read, answer.sequence, output=last
        )
        return _Chunk(answer, size, row)

    def _give_way(self) -> None:
        """The context is full: forget something idle, or let one answer wait. Never all."""
        if self._memory.evict():
            return
        if len(self._running) > 1:
            self._preempt(max(self._running, key=lambda a: (a.rank, a.order)))
        else:
            self._finish(self._running[0], "length")

    def _take(self, chunks: Iterable[_Chunk]) -> None:
        for chunk in chunks:
            answer = chunk.answer
            answer.read += chunk.tokens
            self._share.charge(answer.person, chunk.tokens)
            if answer.unread:
                self._report_reading(answer)
            else:
                self._sample(answer, chunk.row)

    def _report_reading(self, answer: Answer) -> None:
        if not answer.completion_tokens:
            total, cached = answer.prompt_tokens, answer.cached_tokens
            self._events.append((answer.id, Reading(answer.read, total, cached)))

    def _sample(self, answer: Answer, row: int) -> None:
        token = answer.sampler.sample(self._context, row)
        if self._model.ends_answer(token):
            self._finish(answer, "stop")
            return
        delta = answer.append(token, self._model.piece(token))
        if delta:
            self._events.append((answer.id, delta))
        if answer.is_stopped:
            self._finish(answer, "stop")
        elif answer.completion_tokens >= answer.limit:
            self._finish(answer, "length")

    def _finish(self, answer: Answer, reason: FinishReason) -> None:
        self._running.remove(answer)
        self._memory.end(answer)
        if reason != "cancelled":
            self._pace.record_answer(time.monotonic() - answer.admitted_at)
        self._close(answer, reason)

    def _close(self, answer: Answer, reason: FinishReason) -> None:
        answer.sampler.free()
        if rest := answer.rest():
            self._events.append((answer.id, rest))
        self._events.append((answer.id, answer.finished(reason)))
        self._share.keep(a.person for a in [*self._running, *self._waiting])
