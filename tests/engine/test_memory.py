"""Who gets which sequence, whose turn it is, and how much fits into a step."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from allerac.engine.answer import Answer, Ticket
from allerac.engine.fairness import FairShare, WaitingLine
from allerac.engine.memory import IDLE_SEQUENCES, PromptMemory
from allerac.engine.pace import CHUNK_TOKENS_MIN, STREAMING_STEP_SECONDS, Pace
from allerac.engine.protocol import GenerationRequest, Priority, Sampling
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

    def copy(self, source: int, target: int, end: int) -> None:
        assert self.lengths[source] >= end
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


def test_slow_machine_still_moves_on() -> None:
    pace = Pace()
    pace.record_step(1, 0, 2.0)
    pace.record_step(1, 8, 6.0)
    assert pace.chunk(1) == CHUNK_TOKENS_MIN
