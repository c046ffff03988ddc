"""Whoever leaves is let go at once: between steps, and inside a long one that is theirs alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from allerac.engine.protocol import Priority, Sampling
from tests.engine.loop import (
    ABORTED,
    DONE,
    ENDLESS,
    WAIT_SECONDS,
    Loop,
    Said,
    running_loop,
)

SHORT = Sampling(temperature=0.0, max_tokens=4)
LONG = 30
"""Rows of a step; also where the machine has much other work, and prompts are cut short."""


def _held(one: Loop) -> None:
    """Wait until a long step is under way."""
    assert one.context.is_held.wait(WAIT_SECONDS)


def _cancel(one: Loop, said: Said) -> str:
    one.scheduler.cancel(said.ticket)
    return said.end().reason


def test_reader_who_leaves_ends_the_step_that_reads_for_nobody_else(tiny_path: Path) -> None:
    """The step would not end by itself."""
    with running_loop(tiny_path) as one:
        one.context.held_rows = LONG
        said = one.ask("a" * 400, SHORT)
        _held(one)
        assert _cancel(one, said) == "cancelled"
        assert one.context.codes == [ABORTED]
        one.context.held_rows = None
        again = one.ask("a" * 400, SHORT).end()
        assert (again.reason, again.usage.completion_tokens) == ("length", 4)
        assert again.usage.cached_tokens == 0


def test_others_who_read_in_the_same_step_lose_nothing_by_it(tiny_path: Path) -> None:
    with running_loop(tiny_path) as one:
        alone = one.answer("b" * 150, SHORT)[0]
        one.context.held_rows = LONG
        first = one.ask("c" * 120, SHORT, person="bob")
        _held(one)
        one.context.is_held.clear()
        both = one.ask("a" * 120, SHORT, person="eve"), one.ask("b" * 150, SHORT, person="kim")
        one.scheduler.cancel(first.ticket)
        _held(one)
        one.context.held_rows = None
        assert _cancel(one, both[0]) == "cancelled"
        assert first.end().reason == "cancelled"
        assert both[1].end().reason == "length"
        assert both[1].text == alone


def test_step_that_brings_others_their_words_is_not_ended_for_one_who_leaves(
    tiny_path: Path,
) -> None:
    with running_loop(tiny_path) as one:
        writing = one.ask("b", replace(ENDLESS, max_tokens=300), person="bob")
        writing.first_words()
        one.context.held_rows = 5
        reading = one.ask("a" * 400, SHORT)
        _held(one)
        one.scheduler.cancel(reading.ticket)
        one.context.release()
        assert reading.end().reason == "cancelled"
        assert writing.end().usage.completion_tokens == 300
        assert set(one.context.codes) == {DONE}


def test_who_waits_in_line_leaves_it(tiny_path: Path) -> None:
    with running_loop(tiny_path, sequences=1) as one:
        running = one.ask("b", replace(ENDLESS, max_tokens=400), person="bob")
        running.first_words()
        one.context.held_rows = 1
        _held(one)
        waiting = one.ask("a" * 50, SHORT)
        one.scheduler.cancel(waiting.ticket)
        one.context.release()
        assert waiting.end().reason == "cancelled"
        assert running.end().usage.completion_tokens == 400


@pytest.mark.parametrize("priority", ["interactive", "api"])
def test_step_of_the_background_ends_as_soon_as_somebody_asks(
    tiny_path: Path, priority: Priority
) -> None:
    with running_loop(tiny_path) as one:
        one.context.held_rows = LONG
        title = one.ask("a" * 400, SHORT, person="eve", priority="background")
        _held(one)
        asked = one.ask("b" * 10, SHORT, priority=priority)
        assert asked.end().reason == "length"
        assert ABORTED in one.context.codes
        assert one.ended == [asked]
        one.context.release()
        assert title.end().reason == "length"
