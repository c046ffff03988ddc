"""Who gets a place in a context that is full: one answer waits and goes on, none is lost."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from allerac.engine.admission import Admission
from allerac.engine.answer import Answer, Ticket
from allerac.engine.protocol import GenerationRequest, Priority, Queued, Sampling
from allerac.engine.sampling import Greedy
from tests.engine.loop import ENDLESS, NO_ROOM, WAIT_SECONDS, Said, running_loop

CELLS = 256


def _ended(said: Sequence[Said]) -> list[tuple[str, int]]:
    ends = [one.end() for one in said]
    return [(end.reason, end.usage.completion_tokens) for end in ends]


def test_context_that_runs_full_lets_one_answer_wait_and_fails_none(tiny_path: Path) -> None:
    """Each was promised half of the cells and takes nearly all, so one must make way."""
    with running_loop(tiny_path, cells=CELLS) as one:
        sampling = replace(ENDLESS, max_tokens=220)
        said = [one.ask("a" * 20, sampling, person=person) for person in ("ada", "bob")]
        assert _ended(said) == [("length", 220)] * 2
        assert NO_ROOM in one.context.codes


def test_four_that_outgrow_the_context_all_come_to_their_end(tiny_path: Path) -> None:
    with running_loop(tiny_path, cells=CELLS, sequences=4) as one:
        sampling = replace(ENDLESS, max_tokens=150)
        said = [one.ask("a" * 20, sampling, person=f"p{number}") for number in range(4)]
        assert _ended(said) == [("length", 150)] * 4
        assert NO_ROOM in one.context.codes


def test_answer_alone_goes_on_until_the_context_is_full(tiny_path: Path) -> None:
    with running_loop(tiny_path, cells=CELLS) as one:
        ((reason, tokens),) = _ended([one.ask("a" * 20, replace(ENDLESS, max_tokens=1000))])
        assert reason == "length"
        assert CELLS - 2 <= 20 + tokens <= CELLS + 1


def test_what_rests_is_forgotten_before_an_answer_must_wait(tiny_path: Path) -> None:
    with running_loop(tiny_path, cells=CELLS) as one:
        for person in ("eve", "kim"):
            one.ask("b" * 60, replace(ENDLESS, max_tokens=2), person=person).end()
        said = one.ask("a" * 20, replace(ENDLESS, max_tokens=230))
        assert _ended([said]) == [("length", 230)]
        assert NO_ROOM in one.context.codes
        assert not any(isinstance(event, Queued) for event in said.events)


def test_newcomer_gets_a_place_of_a_flood_whose_answer_goes_on_later(tiny_path: Path) -> None:
    with running_loop(tiny_path) as one:
        flood = [one.ask("a" * 20, replace(ENDLESS, max_tokens=700)) for _ in "12"]
        for said in flood:
            said.first_words()
        one.context.held_rows = 2
        assert one.context.is_held.wait(WAIT_SECONDS)
        newcomer = one.ask("b" * 20, replace(ENDLESS, max_tokens=4), person="bob")
        one.context.release()
        assert _ended([newcomer, *flood]) == [("length", 4), ("length", 700), ("length", 700)]
        assert one.ended == [newcomer, *flood]


def _answer(
    prompt: int, person: str = "ada", priority: Priority = "interactive", limit: int = 100
) -> Answer:
    request = GenerationRequest("id", "model", person, (), Sampling(), priority)
    return Answer(Ticket(request), [7] * prompt, limit, Greedy())


@pytest.fixture
def admission() -> Admission:
    """Of a context in which each of four is due 250 cells."""
    return Admission(cells=1000, sequences=4)


def test_cells_decide_who_fits_though_sequences_are_free(admission: Admission) -> None:
    running = [_answer(600)]
    assert admission.reserved(running) == 600 + 250 // 4
    assert admission.fits(_answer(200), running)
    assert not admission.fits(_answer(300), running)


def test_sequences_decide_who_fits_though_cells_are_free(admission: Admission) -> None:
    running = [_answer(1, f"p{number}") for number in range(3)]
    assert admission.fits(_answer(1), running)
    assert not admission.fits(_answer(1), [*running, _answer(1)])


def test_answer_alone_fits_however_long_it_is(admission: Admission) -> None:
    assert admission.fits(_answer(990, limit=5000), [])
    assert admission.reserved([_answer(990, limit=5000)]) == 1000


def test_answer_that_grew_beyond_its_promise_counts_with_what_it_has(admission: Admission) -> None:
    grown = _answer(100, limit=900)
    assert admission.reserved([grown]) == 250
    grown.tokens += [7] * 500
    assert admission.reserved([grown]) == 601


def test_newest_of_the_background_makes_way_and_nobody_for_the_background(
    admission: Admission,
) -> None:
    chat = _answer(1)
    titles = [_answer(1, f"p{number}", "background") for number in range(3)]
    assert admission.victim(_answer(1, "eve"), [chat, *titles]) is titles[-1]
    assert admission.victim(_answer(1, "eve", "background"), [chat, *titles]) is None


def test_nobody_waits_where_that_would_not_make_room(admission: Admission) -> None:
    running = [_answer(600), _answer(10, "bob", "background")]
    assert admission.victim(_answer(500, "eve"), running) is None


@pytest.mark.parametrize(("newcomer", "makes_way"), [("interactive", True), ("api", False)])
def test_flood_makes_way_for_what_is_as_urgent(
    admission: Admission, newcomer: Priority, makes_way: bool
) -> None:
    flood = [_answer(1) for _ in range(4)]
    expected = flood[-1] if makes_way else None
    assert admission.victim(_answer(1, "bob", newcomer), flood) is expected
