"""Who gets which sequence, whose turn it is, and how much fits into a step."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allerac.engine.answer import Answer, Ticket
from allerac.engine.fairness import FairShare, WaitingLine
from allerac.engine.memory import IDLE_SEQUENCES, PromptMemory
from allerac.engine.pace import (
    CHUNK_TOKENS_MIN,
    ROWS_AT_ONCE,
    STREAMING_STEP_SECONDS,
    Pace,
)
from allerac.engine.protocol import GenerationRequest, Priority, Sampling, Speed
from allerac.engine.sampling import Greedy


class RecordedCells:
    """Remembers per sequence which tokens llama.cpp would hold."""

    def __init__(self, *, can_truncate: bool = True) -> None:
        self.lengths: dict[int, int] = {}
        self._can_truncate = can_truncate

    def remove(self, sequence: int, start: int = 0) -> bool:
        if start and not self._can_truncate:
            return False
        self.lengths[sequence] = min(self.lengths.get(sequence, 0), start)
        return True

    def copy(self, source: int, target: int, end: int, start: int = 0) -> None:
        assert self.lengths[source] >= end
        assert self.lengths.get(target, 0) == start
        self.lengths[target] = end


def answer(
    tokens: Sequence[int], person: str = "ada", priority: Priority = "interactive"
) -> Answer:
    request = GenerationRequest("id", "model", person, (), Sampling(), priority)
    return Answer(Ticket(request), list(tokens), 100, Greedy())


def finish(memory: PromptMemory, cells: RecordedCells, one: Answer) -> None:
    one.read = len(one.tokens)
    cells.lengths[one.sequence] = one.read
    memory.end(one)


def test_next_turn_goes_on_in_its_sequence() -> None:
    cells = RecordedCells()
    memory = PromptMemory(cells, cells=1000, sequences=2)
    first = answer(range(50))
    memory.begin(first, [])
    sequence = first.sequence
    finish(memory, cells, first)
    second = answer(range(80))
    memory.begin(second, [])
    assert (second.sequence, second.read) == (sequence, 50)


def test_short_shared_beginning_is_copied_and_the_old_conversation_kept() -> None:
    cells = RecordedCells()
    memory = PromptMemory(cells, cells=1000, sequences=2)
    old = answer([*range(10), *range(100, 190)])
    memory.begin(old, [])
    kept = old.sequence
    finish(memory, cells, old)
    new = answer([*range(10), *range(500, 520)])
    memory.begin(new, [])
    assert new.read == 10
    assert new.sequence != kept
    assert cells.lengths[kept] == 100


def test_running_answer_of_the_same_person_lends_its_beginning() -> None:
    cells = RecordedCells()
    memory = PromptMemory(cells, cells=1000, sequences=2)
    running = answer(range(40))
    memory.begin(running, [])
    running.read = cells.lengths[running.sequence] = 40
    other = answer([*range(30), 99, 98])
    memory.begin(other, [running])
    assert other.read == 30


def test_what_rests_and_is_kept_elsewhere_leaves_its_cells_to_who_runs() -> None:
    cells = RecordedCells()
    memory = PromptMemory(cells, cells=1000, sequences=2)
    on_disk, not_yet, running = answer(range(50)), answer(range(100, 160), "bob"), answer(range(9))
    for one in (on_disk, not_yet):
        memory.begin(one, [])
    held = on_disk.sequence, not_yet.sequence
    for one in (on_disk, not_yet):
        finish(memory, cells, one)
    memory.begin(running, [])
    memory.put_aside(lambda idle: idle.person == "ada")
    assert [cells.lengths[sequence] for sequence in held] == [0, 60]
    assert [idle.person for _, idle in memory.idle()] == ["bob"]


def test_other_person_starts_from_nothing() -> None:
    cells = RecordedCells()
    memory = PromptMemory(cells, cells=1000, sequences=2)
    first = answer(range(50), "ada")
    memory.begin(first, [])
    finish(memory, cells, first)
    second = answer(range(50), "bob")
    memory.begin(second, [])
    assert second.read == 0


def test_model_that_cannot_forget_a_part_reads_again() -> None:
    cells = RecordedCells(can_truncate=False)
    memory = PromptMemory(cells, cells=1000, sequences=2)
    first = answer(range(50))
    memory.begin(first, [])
    finish(memory, cells, first)
    second = answer(range(80))
    memory.begin(second, [])
    assert second.read == 0
    assert cells.lengths[second.sequence] == 0


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 2), min_size=1, max_size=30), st.sampled_from(["ada", "bob"])
        ),
        max_size=60,
    )
)
def test_sequences_are_never_lost_and_never_shared_between_people(
    asked: list[tuple[list[int], str]],
) -> None:
    cells = RecordedCells()
    memory = PromptMemory(cells, cells=100, sequences=2)
    read: dict[str, list[list[int]]] = {"ada": [], "bob": []}
    for tokens, person in asked:
        one = answer(tokens, person)
        memory.begin(one, [])
        assert 0 <= one.sequence < 2 + IDLE_SEQUENCES
        assert one.read < len(tokens)
        assert one.read == 0 or any(old[: one.read] == tokens[: one.read] for old in read[person])
        memory.make_room(len(tokens))
        read[person].append(tokens)
        finish(memory, cells, one)


def test_answer_that_comes_with_another_reads_what_they_share_once() -> None:
    cells = RecordedCells()
    memory = PromptMemory(cells, cells=1000, sequences=2)
    leader = answer([*range(100), 1])
    memory.begin(leader, [])
    follower = answer([*range(100), 2, 3])
    memory.begin(follower, [leader])
    leader.read = cells.lengths[leader.sequence] = 60
    assert not memory.follow(follower, [leader, follower])
    leader.read = cells.lengths[leader.sequence] = 101
    assert memory.follow(follower, [leader, follower])
    assert follower.read == follower.cached_tokens == 100
    assert cells.lengths[follower.sequence] == 100


def test_answer_does_not_wait_for_another_that_has_ended() -> None:
    cells = RecordedCells()
    memory = PromptMemory(cells, cells=1000, sequences=2)
    leader, follower = answer([*range(100), 1]), answer([*range(100), 2])
    memory.begin(leader, [])
    memory.begin(follower, [leader])
    leader.read = cells.lengths[leader.sequence] = 40
    memory.end(leader)
    assert memory.follow(follower, [follower])
    assert follower.read == 40


def test_nobody_waits_for_what_another_person_reads() -> None:
    cells = RecordedCells()
    memory = PromptMemory(cells, cells=1000, sequences=2)
    leader, other = answer(range(100), "ada"), answer(range(100), "bob")
    memory.begin(leader, [])
    memory.begin(other, [leader])
    assert memory.follow(other, [leader, other])


def test_short_prompt_is_read_before_a_long_one_and_a_begun_one_before_its_equals() -> None:
    share = FairShare()
    long, short = answer(range(2000), "ada"), answer(range(30), "bob")
    for one in (long, short):
        share.enter(one.person)
    assert share.key(short) < share.key(long)
    begun, equal = answer(range(500), "eve"), answer(range(500), "kim")
    for one in (equal, begun):
        share.enter(one.person)
    equal.order, begun.order = begun.order, equal.order
    begun.read = 200
    share.charge("eve", 200 * share.token_seconds)
    assert sorted([begun, equal], key=share.key)[0].person == "kim"
    equal.order, begun.order = begun.order, equal.order
    assert sorted([begun, equal], key=share.key)[0].person == "eve"


def test_prompt_that_was_begun_is_read_to_its_end_though_it_takes_longer_than_was_told() -> None:
    share = FairShare()
    begun, equal = answer(range(500), "eve"), answer(range(500), "kim")
    for one in (begun, equal):
        share.enter(one.person)
    share.begin(begun)
    begun.read = 200
    share.charge("eve", 3 * 200 * share.token_seconds)
    assert share.key(begun) < share.key(equal)


@pytest.mark.parametrize("quicker", [0.2, 0.9, 1.1, 5.0])
def test_prompt_that_was_begun_stays_first_when_tokens_turn_out_to_take_another_time(
    quicker: float,
) -> None:
    share = FairShare()
    begun, equal = answer(range(500), "eve"), answer(range(500), "kim")
    for one in (begun, equal):
        share.enter(one.person)
    share.begin(begun)
    share.token_seconds /= quicker
    begun.read = 100
    share.charge("eve", 100 * share.token_seconds)
    assert share.key(begun) < share.key(equal)


def test_long_prompt_gets_its_half_beside_short_ones_of_ever_new_people() -> None:
    share = FairShare()
    long, step = answer(range(2000), "ada"), 10
    share.enter("ada")
    others = 0
    short = answer(range(50), "p0")
    share.enter("p0")
    while long.unread > 1:
        turn = min((long, short), key=share.key)
        share.begin(turn)
        turn.read += step
        share.charge(turn.person, step * share.token_seconds)
        if short.unread == 0:
            others += short.prompt_tokens
            share.keep(["ada"])
            short = answer(range(50), f"p{others}")
            share.enter(short.person)
    assert 0.8 <= others / long.prompt_tokens <= 1.5


@given(st.integers(0, 8), st.floats(0.0005, 0.2), st.floats(0.001, 0.3))
def test_step_that_reads_is_of_whole_groups_of_rows(
    streaming: int, token: float, step: float
) -> None:
    pace = Pace()
    pace.learn(Speed(prefill_tokens_per_second=1 / token, decode_tokens_per_second=1 / step))
    assert (streaming + pace.chunk(streaming)) % ROWS_AT_ONCE == 0
    assert pace.chunk(streaming) >= CHUNK_TOKENS_MIN


def test_whoever_takes_many_places_makes_way_for_who_has_none() -> None:
    flood = [answer([1], "ada") for _ in range(3)]
    assert FairShare.crowding(answer([1], "bob"), flood) is flood[-1]
    assert FairShare.crowding(answer([1], "ada"), flood) is None
    assert FairShare.crowding(answer([1], "bob"), [flood[0], answer([1], "eve")]) is None
    assert FairShare.crowding(answer([1], "bob", "background"), flood) is None


def test_each_person_gets_a_token_before_one_gets_two_and_all_of_a_flood_move() -> None:
    share = FairShare()
    flood = [answer([1], "ada") for _ in range(3)]
    alone = answer([1], "bob")
    seen = []
    for step in range(1, 4):
        chosen = share.rotation([*flood, alone], 2)
        assert alone in chosen
        assert len(chosen) == 2
        seen += [one for one in chosen if one is not alone]
        for one in chosen:
            one.stepped = step
    assert {id(one) for one in seen} == {id(one) for one in flood}


def test_urgent_classes_come_first_and_then_who_was_served_least() -> None:
    share = FairShare()
    line = WaitingLine(share)
    title = answer([1], "ada", "background")
    script = answer([1], "ada", "api")
    flood = answer([1], "bob")
    chat = answer([1], "eve")
    for one in (title, script, flood, chat):
        share.enter(one.person)
        line.add(one)
    share.charge("bob", 1000)
    assert list(line) == [chat, flood, script, title]


def test_who_comes_late_has_no_credit_for_having_been_away() -> None:
    share = FairShare()
    share.enter("ada")
    share.charge("ada", 500)
    share.enter("bob")
    early, late = answer([1], "ada"), answer([1], "bob")
    assert share.key(early) < share.key(late)


def test_chunk_fits_the_time_that_streaming_leaves() -> None:
    pace = Pace()
    for _ in range(50):
        pace.record_step(1, 0, 0.050)
        pace.record_step(1, 100, 0.050 + 100 * 0.001)
    assert 0.5 < pace.chunk(1) * 0.001 / (STREAMING_STEP_SECONDS - 0.050) <= 1.05
    assert pace.chunk(0) > pace.chunk(1)


def test_flood_is_held_back_where_each_stream_costs_and_not_where_they_are_free() -> None:
    costly, free = Pace(), Pace()
    for streams in (1, 2, 3, 4):
        costly.record_step(streams, 0, 0.040 * streams)
        free.record_step(streams, 0, 0.040)
    assert costly.places(4, people=2) == 2
    assert costly.places(4, people=1) == 4
    assert free.places(4, people=2) == 4


def test_flood_is_held_back_though_its_prompts_are_read_all_the_time() -> None:
    pace = Pace()
    pace.learn(Speed(prefill_tokens_per_second=200, decode_tokens_per_second=25))
    steps, read = [], 0
    for _ in range(100):
        places = pace.places(8, people=2)
        chunk = pace.chunk(places, people=2)
        steps.append(0.040 * (1 + 0.8 * (places - 1)) + chunk * 0.005)
        pace.record_step(places, chunk, steps[-1], people=2)
        read += chunk
    assert sum(steps[20:]) / 80 <= 0.040 / 0.4
    assert read > 200


def test_whoever_waits_for_a_first_word_gets_a_good_part_of_the_step() -> None:
    pace = Pace()
    pace.learn(Speed(prefill_tokens_per_second=200, decode_tokens_per_second=25))
    places = pace.places(7, people=8, is_reading=True)
    assert places < 7
    assert pace.chunk(places, people=8) * 0.005 >= 0.050
    assert pace.places(7, people=8) == 7


def test_prompt_of_another_leaves_two_people_their_share() -> None:
    pace = Pace()
    pace.learn(Speed(prefill_tokens_per_second=1000, decode_tokens_per_second=25))
    assert pace.chunk(1, people=2) * 0.001 + 0.040 <= 0.040 / 0.4
    assert pace.chunk(1, people=1) * 0.001 + 0.040 > 0.040 / 0.4


def test_slow_machine_still_moves_on() -> None:
    pace = Pace()
    pace.record_step(1, 0, 2.0)
    pace.record_step(1, 8, 6.0)
    assert CHUNK_TOKENS_MIN <= pace.chunk(1) < CHUNK_TOKENS_MIN + ROWS_AT_ONCE
