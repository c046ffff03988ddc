"""What everybody gets of a machine whose steps are known, when many want something."""

import pytest

from allerac.engine.pace import Pace
from allerac.engine.protocol import Speed
from tests.engine.known_machine import ATTENTIVE, MACHINES, Machine, settled


@pytest.mark.parametrize("machine", MACHINES)
def test_who_had_nothing_yet_is_not_held_to_a_share_by_who_had(machine: Machine) -> None:
    box = settled(machine)
    ana, bob = box.ask("ana", 512, 400), box.ask("bob", 2048, 8)
    while ana not in box.first_words:
        box.step()
    sharing = []
    while bob not in box.first_words:
        box.step()
        sharing.append(box.filling.people)
    assert sharing[0] == 1
    assert 2 in sharing, "once he had as much as she, they share"


@pytest.mark.parametrize("machine", [*MACHINES, ATTENTIVE])
@pytest.mark.parametrize("prompt", [16, 1024])
def test_who_writes_beside_a_flood_keeps_two_fifths(machine: Machine, prompt: int) -> None:
    box = settled(machine)
    box.ask("ada", prompt, 64)  # alone
    box.until_quiet()
    for _ in range(12):
        box.ask("ada", prompt, 400)
    for _ in range(60):
        box.step()
    bob = box.ask("bob", 16, 64)
    while bob not in box.first_words:
        box.step()
    box.until(bob)
    speed = 63 / (box.seconds - box.first_words[bob])
    assert speed * box.solo_step >= 0.4


@pytest.mark.parametrize("machine", MACHINES)
def test_newcomers_prompt_does_not_stop_an_answer(machine: Machine) -> None:
    box = settled(machine)
    bob = box.ask("bob", 16, 400)
    while bob not in box.first_words:
        box.step()
    for _ in range(20):
        box.step()
    ana = box.ask("ana", 512, 8)
    while ana not in box.first_words:
        before = bob.completion_tokens
        box.step()
        assert bob.completion_tokens > before
        assert box.last_step <= max(0.150 + 12 * machine.token, 3 * box.solo_step)


def test_prompts_go_on_where_no_step_is_short_enough() -> None:
    pace = Pace()
    pace.learn(Speed(250.0, 70.0))
    pace.record_step(2, 8, 0.150, people=2)
    assert pace.chunk(2, people=2) == 0
    for _ in range(10):
        pace.record_step(2, 0, 0.100, people=2, longest=20_000)  # a fair one takes 31 ms
    assert pace.chunk(2, people=2) > 0
