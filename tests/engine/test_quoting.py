"""What stands in the prompt is guessed, checked several at a time, and changes no word."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allerac.engine.pace import Pace
from allerac.engine.protocol import Sampling
from allerac.engine.quoting import AGAIN, GUESSED, HOPE, RECOGNISED, Quoting
from allerac.engine.supervisor import EngineSupervisor
from tests.engine.asking import demo_model, end_of, events_of, random_model, request, text_of
from tests.engine.loop import running_loop


def free(_: int) -> float:
    """A cost at which every guess pays."""
    return 0.0


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
        with running_loop(tiny_path, guesses=guesses) as one:
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
    with running_loop(tiny_path, guesses=False) as one:
        whole, _ = one.answer(prompt, sampling)
    for end in range(20, 32):
        stop = whole[end : end + 4]
        with running_loop(tiny_path, guesses=True) as one:
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
