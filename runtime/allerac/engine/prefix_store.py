"""What was read stays read: pieces of prompts on disk, least recently used first out.

Pieces form a tree for each person: a conversation is a path, its branches share what they have in
common, and a turn adds only what is new. Nobody's pieces are found for anybody else.
"""

import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

from allerac.engine.prefix_file import (
    ROOT,
    PrefixFileError,
    Segment,
    owner_of,
    read_owner,
    read_segment,
    read_state,
    segment_of,
    write_segment,
)

DISK_RESERVE_BYTES: Final = 1_000_000_000
"""Left for conversations, backups and updates."""
REST_SECONDS: Final = 60.0
"""After a write that failed; the disk is full or broken, and this is only a cache."""


class PrefixStore:
    """The pieces of one model in `folder`, which holds `limit_bytes` for all models together.

    Any thread may call. Whatever the disk does, the worst that happens is that a prompt is read
    again.
    """

    def __init__(
        self,
        folder: Path,
        key: bytes,
        *,
        limit_bytes: int,
        free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    ) -> None:
        self._folder = folder
        self._key = key
        self._limit_bytes = limit_bytes
        self._free_bytes = free_bytes
        self._lock = Lock()
        self._children: dict[tuple[bytes, bytes], dict[bytes, Segment]] = defaultdict(dict)
        self._used_at: dict[bytes, float] = {}
        self._foreign: dict[Path, tuple[float, int]] = {}
        self._gone: set[bytes] = set()
        self._writer = ThreadPoolExecutor(1, "prefixes")
        self._writing: Future[None] | None = None
        self._rest_until = 0.0
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._find()

    @property
    def can_take(self) -> bool:
        """Whether the disk has taken the last piece and is well."""
        written = self._writing is None or self._writing.done()
        return written and time.monotonic() >= self._rest_until

    @property
    def size_bytes(self) -> int:
        """What all files together take."""
        with self._lock:
            return self._size_bytes()

    def path(self, person: str, tokens: Sequence[int]) -> list[Segment]:
        """Return the pieces that `tokens` begin with; the last may agree only at its beginning."""
        owner, parent, at = owner_of(person), ROOT, 0
        found: list[Segment] = []
        with self._lock:
            while children := self._children.get((owner, parent)):
                best = max(children.values(), key=lambda s: shared(s.tokens, tokens[at:]))
                agreed = shared(best.tokens, tokens[at : at + len(best.tokens)])
                if agreed:
                    found.append(best)
                if agreed < len(best.tokens):
                    break
                parent, at = best.id, best.end
        return found

    def load(self, segment: Segment) -> bytes | None:
        """Return the state of a piece; None, and it is forgotten, where the file is no good."""
        path = self._folder / segment.file_name
        try:
            state = read_state(path, segment)
            path.touch()
        except (OSError, PrefixFileError, MemoryError):
            self.drop(segment)
            return None
        with self._lock:
            self._used_at[segment.id] = time.time()
        return state

    def put(
        self,
        person: str,
        parent: Segment | None,
        tokens: list[int],
        state: bytes,
        on_kept: Callable[[], None],
    ) -> None:
        """Keep a piece that follows `parent`; returns at once.

        `on_kept` is called from another thread when that is over, well or not.
        """
        above, start = (parent.id, parent.end) if parent else (ROOT, 0)
        segment = segment_of(self._key, owner_of(person), above, start, tokens, state)
        self._writing = self._writer.submit(self._write, segment, state)
        self._writing.add_done_callback(lambda _: on_kept())

    def drop(self, segment: Segment) -> None:
        """Forget a piece and all that follows it."""
        with self._lock:
            self._drop(segment)

    def forget(self, person: str) -> None:
        """Delete everything that was read for a person, by any model, and keep nothing more."""
        owner = owner_of(person)
        with self._lock:
            self._gone.add(owner)
            self._keep(lambda other: other != owner)

    def keep_only(self, people: Iterable[str]) -> None:
        """Delete everything that was read for anybody else until now."""
        kept = set(map(owner_of, people))
        with self._lock:
            self._keep(kept.__contains__)

    def close(self) -> None:
        """Finish writing."""
        self._writer.shutdown()

    def _find(self) -> None:
        segments: dict[bytes, Segment] = {}
        for path in self._folder.iterdir():
            try:
                facts = path.stat()
                if read_owner(path)[0] != self._key:
                    self._foreign[path] = (facts.st_mtime, facts.st_size)
                    continue
                segment = read_segment(path, self._key)
            except (OSError, PrefixFileError):
                with suppress(OSError):
                    path.unlink()
                continue
            segments[segment.id] = segment
            self._used_at[segment.id] = facts.st_mtime
        for segment in segments.values():
            self._children[segment.person, segment.parent][segment.id] = segment
        for segment in segments.values():
            if segment.parent != ROOT and segment.parent not in segments:
                self._drop(segment)

    def _write(self, segment: Segment, state: bytes) -> None:
        try:
            with self._lock:
                fits = self._make_room(segment.file_bytes)
            if not fits:
                self._rest_until = time.monotonic() + REST_SECONDS
                return
            write_segment(self._folder / segment.file_name, self._key, segment, state)
        except OSError as err:
            self._rest_until = time.monotonic() + REST_SECONDS
            sys.stderr.write(f"prefix not kept: {err.strerror}\n")
            return
        with self._lock:
            self._children[segment.person, segment.parent][segment.id] = segment
            self._used_at[segment.id] = time.time()
            if segment.person in self._gone:  # since the write began
                self._drop(segment)

    def _keep(self, is_kept: Callable[[bytes], bool]) -> None:
        for segment in self._segments():
            if segment.parent == ROOT and not is_kept(segment.person):
                self._drop(segment)
        sweep(self._folder, is_kept)
        self._foreign = {path: facts for path, facts in self._foreign.items() if path.exists()}

    def _make_room(self, wanted: int) -> bool:
        """Delete what was used longest ago until `wanted` bytes fit; False where they never do."""
        while self._size_bytes() + wanted > self._limit_bytes or self._is_short(wanted):
            if not self._delete_oldest():
                return False
        return True

    def _is_short(self, wanted: int) -> bool:
        return self._free_bytes(self._folder) < wanted + DISK_RESERVE_BYTES

    def _delete_oldest(self) -> bool:
        leaves = [s for s in self._segments() if not self._children.get((s.person, s.id))]
        oldest = min(leaves, key=lambda s: self._used_at[s.id], default=None)
        stranger = min(self._foreign, key=lambda path: self._foreign[path][0], default=None)
        if stranger is not None and (
            oldest is None or self._foreign[stranger][0] < self._used_at[oldest.id]
        ):
            del self._foreign[stranger]
            stranger.unlink(missing_ok=True)
        elif oldest is not None:
            self._drop(oldest)
        else:
            return False
        return True

    def _drop(self, segment: Segment) -> None:
        following = [segment]
        while following:
            one = following.pop()
            following += self._children.pop((one.person, one.id), {}).values()
            siblings = self._children[one.person, one.parent]
            siblings.pop(one.id, None)
            if not siblings:
                del self._children[one.person, one.parent]
            self._used_at.pop(one.id, None)
            with suppress(OSError):
                (self._folder / one.file_name).unlink(missing_ok=True)

    def _segments(self) -> list[Segment]:
        return [segment for level in self._children.values() for segment in level.values()]

    def _size_bytes(self) -> int:
        own = sum(segment.file_bytes for segment in self._segments())
        return own + sum(size for _, size in self._foreign.values())


def sweep(folder: Path, is_kept: Callable[[bytes], bool]) -> None:
    """Delete the files in `folder` of whoever is not kept, whatever model has read them."""
    for path in folder.glob("*.kv"):
        with suppress(OSError, PrefixFileError):
            if not is_kept(read_owner(path)[1]):
                path.unlink()


def shared(left: Sequence[int], right: Sequence[int]) -> int:
    """Length of the longest common beginning."""
    low, high = 0, min(len(left), len(right))
    while low < high:  # comparing slices is quicker than a loop over tokens
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
