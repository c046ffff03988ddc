"""What is told of a wait comes true on a machine whose steps are known."""

from dataclasses import dataclass

import pytest

from allerac.engine.pace import Pace


@dataclass(frozen=True, slots=True)
class Machine:
    """A step takes `weights` seconds to bring the model in, and `token` for each token in it."""

    weights: float
    token: float

    def step(self, streaming: int, prefill: int) -> float:
        return self.weights + (streaming + prefill) * self.token

    def read(self, pace: Pace, tokens: int, streaming: int = 0) -> float:
        """Read a prompt of `tokens` while `streaming` answers go on; the seconds it took."""
        seconds = 0.0
        while tokens:
            prefill = min(tokens, 512, pace.chunk(streaming))
            took = self.step(streaming, prefill)
            pace.record_step(streaming, prefill, took)
            seconds, tokens = seconds + took, tokens - prefill
        return seconds

    def write(self, pace: Pace, tokens: int) -> None:
        for _ in range(tokens):
            pace.record_step(1, 0, self.step(1, 0))


MACHINES = [
    Machine(weights=0.070, token=0.020),  # a small PC
    Machine(weights=0.030, token=0.006),
    Machine(weights=0.005, token=0.0005),
]


def told(pace: Pace, tokens: int, streaming: int = 0) -> float:
    seconds = pace.reading_seconds(tokens, streaming, 1)
    assert seconds is not None
    return seconds


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
