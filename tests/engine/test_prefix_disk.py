"""Pieces move between memory and disk one at a time, and whatever fails costs reading again."""

from collections.abc import Callable
from typing import Any

from allerac.engine.answer import Answer, Ticket
from allerac.engine.memory import Idle
from allerac.engine.prefix_disk import BUSY_SAVE_SECONDS, KEPT_TOKENS_MIN, DiskPrefixes
from allerac.engine.prefix_file import ROOT, SEGMENT_TOKENS, Segment, digest, segment_of
from allerac.engine.protocol import GenerationRequest, Sampling
from allerac.engine.sampling import Greedy

PASSAGE = 9
KEY = digest(b"key")


class Cells:
    """A context whose state of a sequence is the positions that it holds."""

    def __init__(self, *, fails: bool = False, refuses: bool = False) -> None:
        self.held: dict[int, set[int]] = {}
        self._fails, self._refuses = fails, refuses

    def remove(self, sequence: int, start: int = 0) -> bool:
        self.held[sequence] = {p for p in self.held.get(sequence, set()) if p < start}
        return True

    def copy(self, source: int, target: int, end: int, start: int = 0) -> None:
        moved = {p for p in self.held[source] if start <= p < end}
        self.held[target] = self.held.get(target, set()) | moved

    def state(self, sequence: int) -> bytes:
        if self._fails:
            raise MemoryError
        return ",".join(map(str, sorted(self.held[sequence]))).encode()

    def set_state(self, sequence: int, state: bytes) -> bool:
        assert not self.held.get(sequence)
        if self._refuses:
            return False
        self.held[sequence] = set(map(int, state.decode().split(",")))
        return True


class Shelf:
    """Keeps one path of pieces."""

    def __init__(self) -> None:
        self.pieces: list[tuple[Segment, bytes | None]] = []
        self.can_take = True

    def path(self, person: str, tokens: list[int]) -> list[Segment]:
        found = [segment for segment, _ in self.pieces]
        return [s for s in found if tokens[s.start : s.start + 1] == s.tokens[:1]]

    def load(self, segment: Segment) -> bytes | None:
        return next(state for one, state in self.pieces if one is segment)

    def put(
        self,
        person: str,
        parent: Segment | None,
        tokens: list[int],
        state: bytes,
        on_kept: Callable[[], None],
    ) -> None:
        above, start = (parent.id, parent.end) if parent else (ROOT, 0)
        self.pieces.append((segment_of(KEY, b"p" * 16, above, start, tokens, state), state))
        on_kept()

    def drop(self, segment: Segment) -> None:
        self.pieces = [(one, state) for one, state in self.pieces if one is not segment]


def disk(cells: Cells, shelf: Shelf) -> DiskPrefixes:
    return DiskPrefixes(cells, shelf, passage=PASSAGE, on_kept=lambda: None)


def answer(tokens: list[int]) -> Answer:
    request = GenerationRequest("id", "model", "ada", (), Sampling())
    one = Answer(Ticket(request), tokens, 100, Greedy())
    one.sequence = 1
    return one


def saved(tokens: list[int], **how: Any) -> tuple[Cells, Shelf, DiskPrefixes]:
    """All of `tokens` that is worth it is on disk."""
    cells, shelf = Cells(**how), Shelf()
    cells.held[0] = set(range(len(tokens)))
    prefixes = disk(cells, shelf)
    while prefixes.save([(0, Idle("ada", tokens))], is_busy=False):
        pass
    return cells, shelf, prefixes


def test_long_prompt_is_cut_into_pieces_and_comes_back_piece_by_piece() -> None:
    tokens = list(range(2 * SEGMENT_TOKENS + 50))
    cells, shelf, prefixes = saved(tokens)
    assert [len(segment.tokens) for segment, _ in shelf.pieces] == [256, 256, 50]
    one = answer([*tokens, 7, 8])
    prefixes.plan(one)
    steps = 0
    while prefixes.restore([one]):
        steps += 1
    assert steps == 3
    assert one.read == one.cached_tokens == len(tokens)
    assert cells.held[1] == set(range(len(tokens)))
    assert not cells.held[PASSAGE]


def test_small_end_is_not_worth_a_file() -> None:
    _, shelf, _ = saved(list(range(SEGMENT_TOKENS + 10)))
    assert len(shelf.pieces) == 1


def test_what_is_on_disk_but_for_a_small_end_counts_as_kept() -> None:
    tokens = list(range(2 * SEGMENT_TOKENS))
    _, _, prefixes = saved(tokens)
    assert prefixes.keeps(Idle("ada", tokens))
    assert prefixes.keeps(Idle("ada", [*tokens, *range(KEPT_TOKENS_MIN - 1)]))
    assert not prefixes.keeps(Idle("ada", [*tokens, *range(KEPT_TOKENS_MIN)]))
    assert not prefixes.keeps(Idle("ada", [*range(1000, 1100)]))


def test_one_token_is_left_to_compute() -> None:
    tokens = list(range(SEGMENT_TOKENS))
    _, _, prefixes = saved(tokens)
    one = answer(tokens)
    prefixes.plan(one)
    assert prefixes.restore([one])
    assert one.unread == 1


def test_what_memory_has_is_not_brought_again() -> None:
    tokens = list(range(2 * SEGMENT_TOKENS))
    cells, _, prefixes = saved(tokens)
    one = answer([*tokens, 1])
    cells.held[1] = set(range(300))
    one.read = 300
    prefixes.plan(one)
    assert [segment.start for segment in one.stored] == [SEGMENT_TOKENS]
    prefixes.restore([one])
    assert cells.held[1] == set(range(2 * SEGMENT_TOKENS))


def test_piece_that_is_gone_ends_the_restoring() -> None:
    tokens = list(range(2 * SEGMENT_TOKENS))
    _, shelf, prefixes = saved(tokens)
    one = answer([*tokens, 1])
    prefixes.plan(one)
    shelf.pieces[0] = (shelf.pieces[0][0], None)
    assert prefixes.restore([one])
    assert not prefixes.restore([one])
    assert one.read == 0


def test_piece_that_does_not_fit_is_dropped() -> None:
    tokens = list(range(SEGMENT_TOKENS))
    _, shelf, prefixes = saved(tokens, refuses=True)
    one = answer([*tokens, 1])
    prefixes.plan(one)
    assert prefixes.restore([one])
    assert shelf.pieces == []
    assert one.read == 0


def test_memory_at_its_limit_keeps_nothing_and_leaves_the_passage_empty() -> None:
    cells, shelf, _ = saved(list(range(SEGMENT_TOKENS)), fails=True)
    assert shelf.pieces == []
    assert not cells.held[PASSAGE]


def test_busy_loop_saves_seldom_and_a_disk_that_rests_is_left_alone() -> None:
    cells, shelf = Cells(), Shelf()
    cells.held[0] = set(range(1000))
    prefixes, idle = disk(cells, shelf), [(0, Idle("ada", list(range(1000))))]
    assert prefixes.save(idle, is_busy=True)
    assert not prefixes.save(idle, is_busy=True), f"within {BUSY_SAVE_SECONDS} s"
    assert prefixes.save(idle, is_busy=False)
    shelf.can_take = False
    assert not prefixes.save(idle, is_busy=False)
