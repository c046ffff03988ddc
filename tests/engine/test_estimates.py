"""What is told of a wait comes true on a machine whose steps are known."""

import pytest

from allerac.engine.pace import Pace
from allerac.engine.protocol import Speed
from tests.engine.known_machine import MACHINES, Box, Machine, settled


def told(pace: Pace, tokens: int, streaming: int = 0) -> float:
    flow = pace.flow(streaming, 1, is_reading=True)
    assert flow is not None
    return tokens / flow.read


@pytest.mark.parametrize("machine", MACHINES)
def test_prompt_alone_takes_what_was_told_also_after_others_were_read_beside_an_answer(
    machine: Machine,
) -> None:
    pace = Pace()
    machine.read(pace, 1000)
    machine.write(pace, 20)
    for _ in range(3):
        machine.read(pace, 1000, streaming=1)
    expected = told(pace, 1000)
    assert machine.read(pace, 1000) == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("machine", MACHINES)
def test_prompt_beside_an_answer_takes_what_was_told(machine: Machine) -> None:
    pace = Pace()
    machine.read(pace, 1000)
    machine.write(pace, 20)
    machine.read(pace, 1000, streaming=1)
    expected = told(pace, 1000, streaming=1)
    assert machine.read(pace, 1000, streaming=1) == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("machine", MACHINES)
def test_many_short_questions_do_not_make_a_long_one_seem_longer(machine: Machine) -> None:
    pace = Pace()
    machine.read(pace, 1000)
    for _ in range(50):
        machine.read(pace, 8)
    expected = told(pace, 1000)
    assert machine.read(pace, 1000) == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    "asked",
    [
        [512] * 4,  # four at once
        [256] * 8,
        [256] * 12,  # more than are answered at once
        [64, 1024, 256, 32, 2048, 128],
    ],
)
def test_those_who_come_together_hear_their_first_word_when_they_were_told(
    machine: Machine, asked: list[int]
) -> None:
    box = settled(machine)
    began = box.seconds
    answers = [box.ask(f"p{n}", tokens, 16) for n, tokens in enumerate(asked)]
    box.until_quiet()
    errors = sorted(abs((box.told[a] - began) / (box.first_words[a] - began) - 1) for a in answers)
    assert len(errors) == len(asked)
    assert errors[len(errors) // 2] < 0.2, errors
    assert errors[-1] < 0.5, errors


@pytest.mark.parametrize("machine", MACHINES)
def test_those_who_come_together_are_read_in_their_order_where_the_machine_was_busy_before(
    machine: Machine,
) -> None:
    box = settled(machine)
    box.share.token_seconds = 3 * machine.token
    for _ in range(20):
        box.pace.learn(Speed(prefill_tokens_per_second=1 / box.share.token_seconds))
    answers = [box.ask(f"p{n}", 400, 16) for n in range(6)]
    box.until_quiet()
    assert sorted(answers, key=lambda a: box.first_words[a]) == answers


@pytest.mark.parametrize("machine", MACHINES)
def test_prompt_of_another_person_beside_an_answer_takes_what_was_told(machine: Machine) -> None:
    box = settled(machine)
    box.ask("bob", 16, 2000)
    for _ in range(400):
        box.step()
    for tokens in (128, 512, 1024):
        began = box.seconds
        answer = box.ask("ana", tokens, 16)
        while answer not in box.first_words:
            box.step()
        took = box.first_words[answer] - began
        assert box.told[answer] - began == pytest.approx(took, rel=0.25)


def test_nobody_is_told_when_their_turn_comes_before_an_answer_has_ended() -> None:
    box = Box(MACHINES[0], sequences=1)
    first, second = box.ask("ana", 300, 16), box.ask("bob", 300, 16)
    box.step()
    assert first in box.told
    assert second not in box.told
    box.until_quiet()
    assert second in box.told, "at the latest when it is read"
