"""A piece of what was read, as a file: tokens of one person's prompt and their attention state.

    magic 8 | key 16 | person 16 | parent 16 | state digest 16 | start u32 | count u32 | size u64
    tokens i32 x count | digest of all before 16 | state, `size` bytes

Little endian, digests are BLAKE2b of 16 bytes. `key` stands for the model's file, the build of
llama.cpp and the type of its cache: a file with another one means nothing here. llama.cpp's own
session files are not used: one that is cut short aborts the process.
"""

import struct
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

MAGIC: Final = b"ALRCKV\x00\x01"
DIGEST_BYTES: Final = 16
SEGMENT_TOKENS: Final = 256
"""At most; 7 MB of a model with 1.5 billion parameters, which takes a few milliseconds to move."""
ROOT: Final = bytes(DIGEST_BYTES)
"""The parent of the first segment of a prompt."""

_HEAD: Final = struct.Struct("<8s16s16s16s16sIIQ")


class PrefixFileError(Exception):
    """The file is damaged, cut short, or not ours; it is of no use to anybody."""


@dataclass(frozen=True, slots=True)
class Segment:
    """`tokens` of a prompt from position `start` on; `parent` names what stands before them."""

    id: bytes
    person: bytes
    parent: bytes
    start: int
    tokens: list[int]
    state_bytes: int
    state_digest: bytes

    @property
    def end(self) -> int:
        """The position after the last token."""
        return self.start + len(self.tokens)

    @property
    def file_name(self) -> str:
        """The same piece always has the same name."""
        return f"{self.id.hex()}.kv"

    @property
    def state_offset(self) -> int:
        """Where in its file the state begins."""
        return _HEAD.size + 4 * len(self.tokens) + DIGEST_BYTES

    @property
    def file_bytes(self) -> int:
        """The size of its file."""
        return self.state_offset + self.state_bytes


def digest(*parts: bytes) -> bytes:
    """BLAKE2b of `parts`, each told apart from the next."""
    state = blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        state.update(len(part).to_bytes(8, "little"))
        state.update(part)
    return state.digest()


def segment_of(
    key: bytes, person: bytes, parent: bytes, start: int, tokens: list[int], state: bytes
) -> Segment:
    """Describe a piece whose state is `state`."""
    name = _name(key, person, parent, start, tokens)
    return Segment(name, person, parent, start, tokens, len(state), digest(state))


def write_segment(path: Path, key: bytes, segment: Segment, state: bytes) -> None:
    """Write to `path`, which appears whole or not at all. Raises OSError."""
    head = _HEAD.pack(
        MAGIC,
        key,
        segment.person,
        segment.parent,
        segment.state_digest,
        segment.start,
        len(segment.tokens),
        len(state),
    ) + _packed(segment.tokens)
    part = path.with_suffix(".part")
    try:
        with part.open("wb") as file:
            file.write(head + digest(head))
            file.write(state)
        part.rename(path)  # the digests tell what a power cut has left of it
    except OSError:
        part.unlink(missing_ok=True)
        raise


def read_owner(path: Path) -> tuple[bytes, bytes]:
    """Return key and person of a file, of whatever model. Raises `PrefixFileError` or OSError."""
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
    if len(head) < _HEAD.size or head[: len(MAGIC)] != MAGIC:
        raise PrefixFileError("This is no prefix file.")
    _, key, person, *_ = _HEAD.unpack(head)
    return key, person


def owner_of(person: str) -> bytes:
    """Return how files name a person."""
    return digest(person.encode("utf-8", "replace"))


def read_segment(path: Path, key: bytes) -> Segment:
    """Return what a file says it holds; its state is not read.

    Raises `PrefixFileError` or OSError.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise PrefixFileError("The file is cut short.")
        magic, own_key, person, parent, state_digest, start, count, size = _HEAD.unpack(head)
        if magic != MAGIC or own_key != key or not 0 < count <= SEGMENT_TOKENS:
            raise PrefixFileError("The file is not of this model.")
        packed = file.read(4 * count)
        if file.read(DIGEST_BYTES) != digest(head + packed):
            raise PrefixFileError("The beginning of the file is damaged.")
    tokens = list(struct.unpack(f"<{count}i", packed))
    name = _name(key, person, parent, start, tokens)
    segment = Segment(name, person, parent, start, tokens, size, state_digest)
    if path.name != segment.file_name or path.stat().st_size != segment.file_bytes:
        raise PrefixFileError("The file is cut short or has another's name.")
    return segment


def read_state(path: Path, segment: Segment) -> bytes:
    """Return the state of `segment`. Raises `PrefixFileError` or OSError."""
    with path.open("rb") as file:
        file.seek(segment.state_offset)
        state = file.read(segment.state_bytes + 1)
    if len(state) != segment.state_bytes or digest(state) != segment.state_digest:
        raise PrefixFileError("The state in the file is damaged.")
    return state


def _name(key: bytes, person: bytes, parent: bytes, start: int, tokens: list[int]) -> bytes:
    return digest(key, person, parent, start.to_bytes(4, "little"), _packed(tokens))


def _packed(tokens: list[int]) -> bytes:
    return struct.pack(f"<{len(tokens)}i", *tokens)
