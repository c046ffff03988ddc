"""Answers that would never end are ended, and say so."""

from dataclasses import replace
from random import Random

import pytest

from allerac.engine.protocol import Sampling
from allerac.engine.repetition import PERIOD_TOKENS_LIMIT, TOKENS_MIN, TURNS, is_looping
from allerac.engine.supervisor import EngineSupervisor
from tests.engine.asking import GREEDY, end_of, events_of, request, text_of

PROMPT = [7] * 1000


def _noticed_after(circle: list[int], tokens: int) -> int | None:
    """How many tokens of `circle` are said until it is noticed."""
    said = list(PROMPT)
    for number in range(tokens):
        said.append(circle[number % len(circle)])
        if is_looping(said, len(PROMPT)):
            return number + 1
    return None


@pytest.mark.parametrize("period", [1, 2, 3, 5, 16, 17, 50, PERIOD_TOKENS_LIMIT])
def test_circle_is_noticed_after_its_turns(period: int) -> None:
    noticed = _noticed_after(list(range(period)), 1000)
    least = max(TOKENS_MIN, TURNS * period)
    assert noticed is not None
    assert least <= noticed < least + 16


def test_what_repeats_less_goes_on() -> None:
    assert _noticed_after([1], TOKENS_MIN - 1) is None
    assert _noticed_after(list(range(40)), TURNS * 40 - 1) is None
    assert _noticed_after(list(range(PERIOD_TOKENS_LIMIT + 1)), 2000) is None


def test_numbered_list_of_equal_lines_goes_on() -> None:
    said = list(PROMPT)
    for number in range(300):
        said += [100 + number, 1, 2, 3, 4]
        assert not is_looping(said, len(PROMPT))


def test_random_tokens_go_on() -> None:
    dice = Random(1)  # noqa: S311 - variety, not secrecy
    said = list(PROMPT)
    for _ in range(2000):
        said.append(dice.randrange(4))
        assert not is_looping(said, len(PROMPT))


async def test_demonstration_model_that_loops_is_cut_and_says_why(
    engine: EngineSupervisor,
) -> None:
    events = await events_of(engine, request("Hello again"))
    assert end_of(events).reason == "repetition"
    assert end_of(events).usage.completion_tokens < 2 * TOKENS_MIN
    assert text_of(events).startswith("Hello again")


async def test_limit_of_tokens_counts_before_the_circle(engine: EngineSupervisor) -> None:
    short = request("Hello again", sampling=replace(GREEDY, max_tokens=20))
    assert end_of(await events_of(engine, short)).reason == "length"


async def test_what_a_grammar_repeats_is_not_cut(engine: EngineSupervisor) -> None:
    sampling = Sampling(temperature=0.0, grammar='root ::= "a"{200}')
    events = await events_of(engine, request("Hello", sampling=sampling))
    assert text_of(events) == "a" * 200
    assert end_of(events).reason == "stop"
