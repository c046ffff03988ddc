"""Pieces of prompts on disk: found again, bounded, told apart, and never trusted."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allerac.engine.prefix_file import SEGMENT_TOKENS, Segment, digest
from allerac.engine.prefix_store import PrefixStore

KEY = digest(b"model")
STATE = bytes(range(256)) * 4
PLENTY = 1 << 40


def opened(
    folder: Path,
    *,
    key: bytes = KEY,
    limit_bytes: int = 1 << 20,
    free: Callable[[Path], int] = lambda _: PLENTY,
) -> PrefixStore:
    return PrefixStore(folder, key, limit_bytes=limit_bytes, free_bytes=free)


def keep(store: PrefixStore, person: str, *pieces: list[int], state: bytes = STATE) -> None:
    """Put `pieces` one after the other and wait until each is over."""
    tokens: list[int] = []
    for piece in pieces:
        path = store.path(person, tokens)
        kept = threading.Event()
        store.put(person, path[-1] if path else None, piece, state, kept.set)
        assert kept.wait(10)
        tokens += piece


def known(store: PrefixStore, person: str, tokens: list[int]) -> int:
    path = store.path(person, tokens)
    return path[-1].end if path else 0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PrefixStore]:
    one = opened(tmp_path)
    yield one
    one.close()


def only_file(folder: Path) -> Path:
    (file,) = folder.glob("*.kv")
    return file


def test_conversation_is_a_path_and_its_branches_share_it(store: PrefixStore) -> None:
    keep(store, "ada", [1, 2, 3], [4, 5], [6])
    keep(store, "ada", [1, 2, 3], [7, 8])
    assert known(store, "ada", [1, 2, 3, 4, 5, 6, 9]) == 6
    assert known(store, "ada", [1, 2, 3, 7, 8, 9]) == 5
    assert known(store, "ada", [1, 2]) == 3  # the last piece agrees at its beginning only
    assert known(store, "ada", [9]) == 0


def test_nobody_finds_what_was_read_for_another(store: PrefixStore) -> None:
    keep(store, "ada", [1, 2, 3])
    assert known(store, "bob", [1, 2, 3]) == 0


def test_what_was_kept_is_there_after_a_restart(tmp_path: Path, store: PrefixStore) -> None:
    keep(store, "ada", [1, 2, 3], [4, 5])
    again = opened(tmp_path)
    path = again.path("ada", [1, 2, 3, 4, 5])
    assert [segment.tokens for segment in path] == [[1, 2, 3], [4, 5]]
    assert [again.load(segment) for segment in path] == [STATE, STATE]


def test_another_model_neither_uses_nor_deletes_it(tmp_path: Path, store: PrefixStore) -> None:
    keep(store, "ada", [1, 2, 3])
    other = opened(tmp_path, key=digest(b"other"))
    assert known(other, "ada", [1, 2, 3]) == 0
    assert known(opened(tmp_path), "ada", [1, 2, 3]) == 3


def test_what_was_used_longest_ago_goes_first_and_leaves_go_before_their_parents(
    tmp_path: Path,
) -> None:
    room = 3 * 1200
    store = opened(tmp_path, limit_bytes=room)
    keep(store, "ada", [1, 2], [3])
    keep(store, "ada", [9])
    first = store.path("ada", [1, 2])[0]
    assert store.load(store.path("ada", [9])[0])
    keep(store, "ada", [8])
    assert store.size_bytes <= room
    assert known(store, "ada", [1, 2, 3]) == first.end == 2
    assert known(store, "ada", [8]) == 1


@pytest.mark.parametrize("restarted", [False, True])
def test_what_was_used_again_outlives_what_was_kept_after_it(
    tmp_path: Path, restarted: bool
) -> None:
    room = 3 * 1200
    store = opened(tmp_path, limit_bytes=room)
    for piece in ([1, 2], [3, 4], [5, 6]):
        keep(store, "ada", piece)
    assert store.load(store.path("ada", [1, 2])[0])
    if restarted:
        store = opened(tmp_path, limit_bytes=room)
    keep(store, "ada", [7, 8])
    assert [known(store, "ada", piece) for piece in ([1, 2], [3, 4], [5, 6], [7, 8])] == [
        2,
        0,
        2,
        2,
    ]


def test_pieces_of_another_model_make_room_too(tmp_path: Path) -> None:
    other = opened(tmp_path, key=digest(b"other"))
    keep(other, "ada", [5, 6])
    store = opened(tmp_path, limit_bytes=2000)
    keep(store, "ada", [1, 2])
    assert known(store, "ada", [1, 2]) == 2
    assert len(list(tmp_path.glob("*.kv"))) == 1


def test_nothing_is_written_where_the_disk_is_short(tmp_path: Path) -> None:
    store = opened(tmp_path, free=lambda _: 10_000)
    keep(store, "ada", [1, 2])
    assert known(store, "ada", [1, 2]) == 0
    assert not store.can_take


def test_folder_that_cannot_be_written_costs_the_cache_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = opened(tmp_path / "file")
    keep(store, "ada", [1, 2])
    assert known(store, "ada", [1, 2]) == 0


def _cut(data: bytes) -> bytes:
    return data[:-1]


def _grown(data: bytes) -> bytes:
    return data + b"x"


def _flipped(at: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    "damage",
    [_cut, _grown, lambda _: b"", lambda _: b"<html>", _flipped(0), _flipped(60), _flipped(100)],
)
def test_damaged_file_is_deleted_at_the_start(
    tmp_path: Path, store: PrefixStore, damage: Callable[[bytes], bytes]
) -> None:
    keep(store, "ada", [1, 2, 3])
    file = only_file(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    again = opened(tmp_path)
    assert known(again, "ada", [1, 2, 3]) == 0
    assert not file.exists()


@pytest.mark.parametrize("damage", [_cut, _grown, _flipped(-2), lambda _: b""])
def test_file_that_is_damaged_later_is_refused_with_all_that_follows(
    tmp_path: Path, store: PrefixStore, damage: Callable[[bytes], bytes]
) -> None:
    keep(store, "ada", [1, 2, 3])
    file = only_file(tmp_path)
    segment = store.path("ada", [1, 2, 3])[0]
    keep(store, "ada", [1, 2, 3], [4])
    file.write_bytes(damage(file.read_bytes()))
    assert store.load(segment) is None
    assert store.path("ada", [1, 2, 3, 4]) == []
    assert list(tmp_path.glob("*.kv")) == []


def test_file_under_another_name_is_refused(tmp_path: Path, store: PrefixStore) -> None:
    keep(store, "ada", [1, 2, 3])
    only_file(tmp_path).rename(tmp_path / f"{'0' * 32}.kv")
    assert known(opened(tmp_path), "ada", [1, 2, 3]) == 0
    assert list(tmp_path.iterdir()) == []


def test_pieces_whose_beginning_is_lost_are_deleted(tmp_path: Path, store: PrefixStore) -> None:
    keep(store, "ada", [1, 2, 3], [4], [5])
    first = store.path("ada", [1, 2, 3])[0]
    (tmp_path / first.file_name).unlink()
    opened(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_write_that_was_cut_off_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "half.part").write_bytes(b"ALRCKV")
    opened(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_forgetting_a_person_leaves_the_others(tmp_path: Path, store: PrefixStore) -> None:
    keep(store, "ada", [1, 2, 3], [4])
    keep(store, "bob", [1, 2, 3])
    store.forget("ada")
    assert known(store, "ada", [1, 2, 3]) == 0
    assert known(opened(tmp_path), "bob", [1, 2, 3]) == 3


def test_forgetting_a_person_reaches_what_other_models_have_read(
    tmp_path: Path, store: PrefixStore
) -> None:
    keep(store, "ada", [1, 2, 3], [4])
    keep(store, "bob", [1, 2, 3])
    other = opened(tmp_path, key=digest(b"another model"))
    other.forget("ada")
    assert len(list(tmp_path.iterdir())) == 1
    assert other.size_bytes == only_file(tmp_path).stat().st_size


def test_nothing_is_kept_of_whoever_was_forgotten(tmp_path: Path, store: PrefixStore) -> None:
    store.forget("ada")
    keep(store, "ada", [1, 2, 3])  # as a write does that had begun before
    assert list(tmp_path.iterdir()) == []
    assert known(store, "ada", [1, 2, 3]) == 0


def test_household_is_kept_and_nobody_else(tmp_path: Path, store: PrefixStore) -> None:
    for person in ("ada", "bob", "eve"):
        keep(store, person, [1, 2, 3], [4])
    (tmp_path / "notes.kv").write_bytes(b"no prefix file")
    store.keep_only(["ada", "bob"])
    assert [known(store, person, [1, 2, 3, 4]) for person in ("ada", "bob", "eve")] == [4, 4, 0]
    keep(store, "new", [1, 2, 3])
    assert known(store, "new", [1, 2, 3]) == 3


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400))
def test_foreign_file_never_raises(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("prefixes")
    (folder / "a.kv").write_bytes(b"ALRCKV\x00\x01" + KEY + data)
    assert opened(folder).path("ada", [1]) == []


def test_piece_knows_where_its_state_begins(store: PrefixStore, tmp_path: Path) -> None:
    keep(store, "ada", list(range(SEGMENT_TOKENS)))
    (segment,) = store.path("ada", list(range(SEGMENT_TOKENS)))
    assert isinstance(segment, Segment)
    data = only_file(tmp_path).read_bytes()
    assert data[segment.state_offset :] == STATE
    assert len(data) == segment.file_bytes == store.size_bytes
