"""What stands in the prompt is guessed, checked several at a time, and changes no word."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allerac.engine.answer import Answer, Ticket
from allerac.engine.llama import Context, Log, Model
from allerac.engine.pace import Pace
from allerac.engine.protocol import Delta, EngineEvent, Finished, GenerationRequest, Sampling, Speed
from allerac.engine.quoting import AGAIN, GUESSED, HOPE, RECOGNISED, Quoting
from allerac.engine.sampling import Samplers
from allerac.engine.scheduler import Events, Scheduler
from allerac.engine.supervisor import EngineSupervisor
from allerac.errors import AlleracError
from tests.engine.asking import demo_model, end_of, events_of, random_model, request, text_of

WAIT_SECONDS = 60.0


def free(_: int) -> float:
    """A cost at which every guess pays."""
    return 0.0


class Bench:
    """A scheduler with a model of random weights, run in a thread of its own."""

    def __init__(self, path: Path, *, guesses: bool) -> None:
        log = Log()
        self.model = Model(path, log)
        context = Context(
            self.model,
            log,
            cells=2048,
            sequences=12,
            batch=512,
            threads=1,
            prefill_threads=1,
            kv_type="f16",
        )
        self.samplers = Samplers(self.model)
        self._events: queue.SimpleQueue[tuple[str, EngineEvent | AlleracError]] = (
            queue.SimpleQueue()
        )
        self.scheduler = Scheduler(
            self.model, context, sequences=2, push=self._push, guesses=guesses
        )
        self._thread = threading.Thread(target=self.scheduler.run)
        self._context = context

    def _push(self, events: Events) -> None:
        for event in events:
            self._events.put(event)

    def answer(self, prompt: str, sampling: Sampling) -> tuple[str, Finished]:
        """Return what is said and how it ended."""
        tokens = self.model.tokenize(prompt, add_special=False, parse_special=False)
        asked = GenerationRequest("r", "random", "ada", (), sampling)
        self.scheduler.submit(
            Answer(Ticket(asked), tokens, sampling.max_tokens or 200, self.samplers.make(sampling))
        )
        text = ""
        while True:
            _, event = self._events.get(timeout=WAIT_SECONDS)
            assert not isinstance(event, AlleracError)
            if isinstance(event, Delta):
                text += event.text
            if isinstance(event, Finished):
                return text, event

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.scheduler.stop()
        self._thread.join(WAIT_SECONDS)
        self._context.free()
        self.model.free()


@contextmanager
def bench(path: Path, *, guesses: bool) -> Iterator[Bench]:
    made = Bench(path, guesses=guesses)
    made.scheduler.expect(Speed(1000.0, 100.0))
    made.start()
    yield made
    made.stop()


@given(st.lists(st.integers(0, 2), max_size=60), st.integers(0, 5))
def test_guess_is_what_followed_the_same_words_last(said: list[int], most: int) -> None:
    guess = Quoting().guess(said, most, free)
    places = [
        at
        for at in range(RECOGNISED, len(said))
        if said[at - RECOGNISED : at] == said[-RECOGNISED:]
    ]
    circle = said[places[-1] :] if places else []
    assert guess == [circle[n % len(circle)] for n in range(most if circle else 0)]


def half(rows: int) -> float:
    """A cost of half a step for each row."""
    return rows / 2


def test_guesses_that_are_mostly_wrong_end_and_are_tried_again_later() -> None:
    quoting, tokens = Quoting(), [1, 2, 3, 4, 5, 6, 1, 2, 3]
    tried = 0
    while quoting.guess(tokens, GUESSED, half):
        quoting.checked(GUESSED, 0)
        tried += 1
        assert tried < 10
    waited = 0
    while not quoting.guess(tokens, GUESSED, half):
        waited += 1
        assert waited < 500
    assert waited > tried


def test_hardly_anything_is_guessed_where_a_step_for_several_costs_as_much_as_several() -> None:
    quoting = Quoting()
    made = [quoting.guess([1, 2, 3, 4, 1, 2, 3], GUESSED, float) for _ in range(2 * AGAIN)]
    assert sum(map(bool, made)) == 2
    assert sum(HOPE**n for n in range(GUESSED + 1)) < 4.0


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=0.0, max_tokens=120),
        Sampling(temperature=0.0, max_tokens=1),
        Sampling(temperature=0.0, max_tokens=2),
        Sampling(temperature=0.0, max_tokens=75),
        Sampling(temperature=0.0, max_tokens=120, repeat_penalty=1.05),
        Sampling(temperature=0.3, seed=3, max_tokens=120),
    ],
)
def test_same_words_in_fewer_steps(
    tiny_path: Path, monkeypatch: pytest.MonkeyPatch, sampling: Sampling
) -> None:
    monkeypatch.setattr(Pace, "rows_cost", lambda *_: 1.0)
    prompt = "the cat sat on the mat and the cat sat on the hat; " * 4
    found: list[tuple[str, str, int | None, int]] = []
    for guesses in (False, True):
        with bench(tiny_path, guesses=guesses) as one:
            before = one.scheduler.steps
            text, end = one.answer(prompt, sampling)
            steps = one.scheduler.steps - before
            again, _ = one.answer(prompt + text, replace(sampling, max_tokens=3))
            found.append((text + again, end.reason, end.usage.completion_tokens, steps))
    (plain, guessed) = found
    assert guessed[:3] == plain[:3]
    assert guessed[3] <= plain[3]
    if sampling == Sampling(temperature=0.0, max_tokens=120):
        assert guessed[3] < plain[3] / 2


def test_stop_words_end_an_answer_within_a_guess(
    tiny_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pace, "rows_cost", lambda *_: 1.0)
    prompt = "abcabcabcabc"
    sampling = Sampling(temperature=0.0, max_tokens=60)
    with bench(tiny_path, guesses=False) as one:
        whole, _ = one.answer(prompt, sampling)
    for end in range(20, 32):
        stop = whole[end : end + 4]
        with bench(tiny_path, guesses=True) as one:
            text, ended = one.answer(prompt, replace(sampling, stop=(stop,)))
        assert (text, ended.reason) == (whole[: whole.index(stop)], "stop")


async def test_a_quoting_answer_says_the_same_with_and_without(
    supervisor: EngineSupervisor, tiny_path: Path
) -> None:
    """Through the process, with the demonstration model and what stands in its prompt."""
    asked = "The wifi password is blue-otter-42.\n\nWhat is the wifi password?"
    texts = []
    for guesses in (False, True):
        await supervisor.load(replace(demo_model(), guesses=guesses))
        events = await events_of(supervisor, request(asked))
        texts.append((text_of(events), end_of(events).usage.completion_tokens))
    assert texts[0] == texts[1]
    assert "blue-otter-42" in texts[0][0]
    await supervisor.load(random_model(tiny_path))
