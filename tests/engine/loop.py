"""A scheduler over a real model, in a thread of the test, whose steps can be watched and held."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from allerac.engine.answer import Answer, Ticket
from allerac.engine.llama import Batch, Context, Log, Model
from allerac.engine.protocol import (
    Delta,
    EngineEvent,
    Finished,
    GenerationRequest,
    Priority,
    Sampling,
    Speed,
)
from allerac.engine.sampling import Sampler, Samplers
from allerac.engine.scheduler import Events, Scheduler
from allerac.errors import AlleracError
from tests.engine.tiny_model import CONTROL

WAIT_SECONDS = 60.0
ENDS = tuple((257 + number, -100.0) for number in range(len(CONTROL)))
"""Keeps the tiny model from ending an answer."""
ENDLESS = Sampling(temperature=1.0, seed=1, logit_bias=ENDS)
DONE, NO_ROOM, ABORTED = 0, 1, 2
"""How a step can end."""


class WatchedContext(Context):
    """Notes how each step ended; one of `held_rows` or more waits to be aborted or released."""

    def __init__(self, model: Model, log: Log, **how: Any) -> None:
        super().__init__(model, log, **how)
        self.codes: list[int] = []
        self.held_rows: int | None = None
        self.heeds_abort = True
        self.is_held = threading.Event()
        self._goes_on = threading.Event()

    def decode(self, batch: Batch) -> int:
        if self.held_rows is not None and batch.size >= self.held_rows:
            self.is_held.set()
            assert self._goes_on.wait(WAIT_SECONDS)
        self.codes.append(super().decode(batch))
        return self.codes[-1]

    def abort(self, *, on: bool) -> None:
        super().abort(on=on)
        if not on:
            self._goes_on.clear()
        elif self.heeds_abort:
            self._goes_on.set()

    def release(self) -> None:
        """Hold no step any more, and let the one go on that is held."""
        self.held_rows = None
        self._goes_on.set()


class Said:
    """What came of one request, as it comes."""

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self.events: list[EngineEvent] = []
        self._coming: queue.SimpleQueue[EngineEvent | AlleracError] = queue.SimpleQueue()

    def put(self, event: EngineEvent | AlleracError) -> None:
        self._coming.put(event)

    def next(self) -> EngineEvent:
        """Return the next event; raises the error that ended the request."""
        event = self._coming.get(timeout=WAIT_SECONDS)
        if isinstance(event, AlleracError):
            raise event
        self.events.append(event)
        return event

    def first_words(self) -> str:
        """Wait for some more text and return it."""
        while not isinstance(event := self.next(), Delta):
            assert not isinstance(event, Finished)
        return event.text

    def end(self) -> Finished:
        """Wait for the last event."""
        while not isinstance(event := self.next(), Finished):
            pass
        return event

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Delta))


class Loop:
    """`sequences` answers at once in `cells`; tokens are the letters of a prompt."""

    def __init__(
        self,
        path: Path,
        *,
        cells: int = 2048,
        sequences: int = 2,
        guesses: bool = False,
        threads: int = 1,
    ) -> None:
        log = Log()
        self.model = Model(path, log)
        self.context = WatchedContext(
            self.model,
            log,
            cells=cells,
            sequences=sequences + 10,
            batch=min(512, cells),
            threads=threads,
            prefill_threads=threads,
            kv_type="f16",
        )
        self.scheduler = Scheduler(
            self.model, self.context, sequences=sequences, push=self._push, guesses=guesses
        )
        self._samplers = Samplers(self.model)
        self.ended: list[Said] = []
        self._said: dict[str, Said] = {}
        self._numbers = count()
        self._thread = threading.Thread(target=self.scheduler.run)

    def ask(
        self,
        prompt: str,
        sampling: Sampling,
        *,
        person: str = "ada",
        priority: Priority = "interactive",
        sampler: Sampler | None = None,
    ) -> Said:
        """Submit a request; its answer ends after `max_tokens`, 200 where nothing is said."""
        tokens = self.model.tokenize(prompt, add_special=False, parse_special=False)
        request = GenerationRequest(
            f"r{next(self._numbers)}", "random", person, (), sampling, priority
        )
        ticket = Ticket(request)
        said = self._said[request.request_id] = Said(ticket)
        sampler = sampler or self._samplers.make(sampling)
        self.scheduler.submit(Answer(ticket, tokens, sampling.max_tokens or 200, sampler))
        return said

    def answer(self, prompt: str, sampling: Sampling) -> tuple[str, Finished]:
        """Return what is said and how it ended."""
        said = self.ask(prompt, sampling)
        end = said.end()
        return said.text, end

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.scheduler.stop()
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive()
        self.context.free()
        self.model.free()

    def _push(self, events: Events) -> None:
        for request_id, event in events:
            said = self._said[request_id]
            if isinstance(event, Finished | AlleracError):
                self.ended.append(said)
            said.put(event)


@contextmanager
def running_loop(path: Path, **how: Any) -> Iterator[Loop]:
    """A running loop that knows how fast it is."""
    made = Loop(path, **how)
    made.scheduler.expect(Speed(1000.0, 100.0))
    made.start()
    try:
        yield made
    finally:
        made.stop()
