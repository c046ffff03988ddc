"""Reads the header of a GGUF file, whatever the file is.

Every count, length and offset is held against the size of the file before it is believed, so a
broken or hostile file costs a bounded time and memory and ends in `ModelDamaged` with a reason
that a person understands. llama.cpp sees only files that passed here.

Format: the "GGUF" specification, versions 2 and 3, of the ggml project (docs/gguf.md).
"""

import math
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from allerac.engine.ggml_types import FILE_TYPES, TENSOR_TYPES
from allerac.errors import ModelDamaged

HEADER_SECONDS_LIMIT: Final = 2.0
KEYS_LIMIT: Final = 4096  # real files have fewer than a hundred
KEY_BYTES_LIMIT: Final = 1024
TENSORS_LIMIT: Final = 1 << 17
TENSOR_NAME_BYTES_LIMIT: Final = 63  # GGML_MAX_NAME with its final zero
TEXT_BYTES_LIMIT: Final = 1 << 20  # of a value that we keep; a chat template has a few kB
LAYERS_LIMIT: Final = 512  # LLAMA_MAX_LAYERS; llama.cpp aborts beyond
DIMENSIONS_LIMIT: Final = 4  # GGML_MAX_DIMS
ALIGNMENT_DEFAULT: Final = 32
_CHUNK_BYTES: Final = 1 << 20

_STRING, _ARRAY = 8, 9
_SCALARS: Final = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_U32, _U64 = _SCALARS[4], _SCALARS[10]
_KV_BYTES_MIN: Final = 8 + 1 + 4 + 1  # length, one letter, type, one byte
_TENSOR_BYTES_MIN: Final = 8 + 1 + 4 + 8 + 4 + 8

_KEPT_SUFFIXES: Final = (
    ".context_length",
    ".block_count",
    ".embedding_length",
    ".attention.head_count",
    ".attention.head_count_kv",
    ".attention.key_length",
    ".attention.value_length",
    ".attention.layer_norm_rms_epsilon",
    ".attention.layer_norm_epsilon",
)
_KEPT_KEYS: Final = frozenset(
    {
        "general.architecture",
        "general.name",
        "general.file_type",
        "general.alignment",
        "general.license",
        "split.count",
        "tokenizer.chat_template",
    }
)

Value = int | float | bool | str


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF file says of itself.

    `kv_bytes_per_token` is the key and value cache of one token at f16; None where the file does
    not say enough (layers that differ from one another).
    """

    version: int
    architecture: str
    name: str | None
    license: str | None
    context_length: int
    block_count: int
    parameters: int
    tensor_count: int
    tensor_bytes: int
    file_type: int | None
    quantization: str | None
    vocabulary_size: int
    chat_template: str | None
    kv_bytes_per_token: int | None
    size_bytes: int


def read_header(path: Path) -> GgufHeader:
    """Read and check the header of `path`.

    Raises `ModelDamaged` for whatever is wrong with the file's content and for a file that is
    missing or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return parse_header(file, path.stat().st_size)
    except FileNotFoundError as err:
        raise ModelDamaged("The model file is missing.", hint="Download it again.") from err
    except OSError as err:
        raise ModelDamaged(
            "The model file cannot be read.", hint="Check the disk, then download it again."
        ) from err


def parse_header(file: BinaryIO, size_bytes: int) -> GgufHeader:
    """Read and check the header of an open file of `size_bytes`; raises like `read_header`."""
    return _HeaderReader(file, size_bytes).read()


def _damaged(message: str) -> ModelDamaged:
    return ModelDamaged(message, hint="Download it again, or choose another file.")


def _unlike(start: bytes) -> ModelDamaged:
    """Say what a file is that does not begin with the magic number."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<!--")):
        return _damaged("This file is a web page, not a model.")
    if text.startswith((b"{", b"[")):
        return _damaged("This file is a message from a server, not a model.")
    if start.startswith(b"version https://git-lfs"):
        return _damaged("This file is only a pointer to a model, not the model itself.")
    if start.startswith((b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"\x28\xb5\x2f\xfd")):
        return _damaged("This file is an archive. Allerac reads models in GGUF format.")
    if start.startswith((b"tjgg", b"lmgg", b"fmgg")):
        return _damaged("This model has an old format that is no longer read.")
    return _damaged("This file is not a model in GGUF format.")


class _Cursor:
    """Reads forward through the file, one bounded chunk in memory at a time."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file = file
        self._size = size_bytes
        self._chunk = b""
        self._chunk_start = 0
        self._at = 0
        self._deadline = time.monotonic() + HEADER_SECONDS_LIMIT

    @property
    def position(self) -> int:
        return self._chunk_start + self._at

    @property
    def remaining(self) -> int:
        return self._size - self.position

    def check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise _damaged("The header of this file is unreasonably long.")

    def take(self, count: int) -> bytes:
        if count > self.remaining:
            raise _damaged("This file is cut short.")
        if self._at + count > len(self._chunk):
            self._refill(count)
        start = self._at
        self._at += count
        return self._chunk[start : self._at]

    def skip(self, count: int) -> None:
        if count > self.remaining:
            raise _damaged("This file is cut short.")
        self._at += count

    def skip_texts(self, count: int) -> None:
        """Skip `count` texts, each behind its length; the one hot loop: vocabularies are long."""
        length_at = _U64.unpack_from
        while count:
            if self._at + 8 > len(self._chunk):
                self._refill(8)
            chunk, at, last = self._chunk, self._at, len(self._chunk) - 8
            while count and at <= last:
                at += 8 + length_at(chunk, at)[0]
                count -= 1
            self._at = at
            if self.remaining < 0:
                raise _damaged("This file is cut short.")

    def scalar(self, form: struct.Struct) -> int | float | bool:
        value: int | float | bool = form.unpack(self.take(form.size))[0]
        return value

    def u32(self) -> int:
        return int(_U32.unpack(self.take(4))[0])

    def u64(self) -> int:
        return int(_U64.unpack(self.take(8))[0])

    def _refill(self, count: int) -> None:
        self.check_time()
        self._chunk_start, self._at = self.position, 0
        self._file.seek(self._chunk_start)
        self._chunk = self._file.read(max(count, _CHUNK_BYTES))
        if len(self._chunk) < count:
            raise _damaged("This file is cut short.")


class _HeaderReader:
    """One pass over metadata and tensor list."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._cursor = _Cursor(file, size_bytes)
        self._size = size_bytes
        self._values: dict[str, Value] = {}
        self._vocabulary_size = 0
        self._parameters = 0

    def read(self) -> GgufHeader:
        version = self._version()
        tensor_count = self._bounded_count(_TENSOR_BYTES_MIN, TENSORS_LIMIT)
        kv_count = self._bounded_count(_KV_BYTES_MIN, KEYS_LIMIT)
        self._metadata(kv_count)
        tensor_bytes = self._tensors(tensor_count)
        return self._header(version, tensor_count, tensor_bytes)

    def _version(self) -> int:
        if self._size == 0:
            raise _damaged("This file is empty.")
        start = self._cursor.take(min(4, self._size))
        if start != b"GGUF":
            raise _unlike(start + self._cursor.take(min(60, self._cursor.remaining)))
        version = self._cursor.u32()
        if version & 0xFFFF == 0:
            raise _damaged("This model was written for another kind of processor.")
        if version not in (2, 3):
            raise _damaged(f"This model has GGUF version {version}, which is not known here.")
        return version

    def _bounded_count(self, entry_bytes_min: int, limit: int) -> int:
        count = self._cursor.u64()
        if count > limit or count * entry_bytes_min > self._size:
            raise _damaged("This file promises more than it holds.")
        return count

    def _metadata(self, count: int) -> None:
        seen: set[bytes] = set()
        for _ in range(count):
            key = self._cursor.take(self._length(KEY_BYTES_LIMIT))
            if key in seen:
                raise _damaged("This file says the same thing twice.")
            seen.add(key)
            self._value(key.decode("utf-8", "replace"), self._cursor.u32())
            self._cursor.check_time()

    def _length(self, limit: int) -> int:
        length = self._cursor.u64()
        if length > limit:
            raise _damaged("This file holds a text longer than any model has.")
        return length

    def _value(self, key: str, kind: int) -> None:
        kept = key in _KEPT_KEYS or key.endswith(_KEPT_SUFFIXES)
        if kind == _ARRAY:
            self._array(key)
        elif kind == _STRING:
            if kept:
                self._values[key] = self._cursor.take(self._length(TEXT_BYTES_LIMIT)).decode(
                    "utf-8", "replace"
                )
            else:
                self._cursor.skip(self._cursor.u64())
        elif kind in _SCALARS:
            value = self._cursor.scalar(_SCALARS[kind])
            if kept:
                self._values[key] = value
        else:
            raise _damaged("This file holds a kind of value that is not known.")

    def _array(self, key: str) -> None:
        kind, count = self._cursor.u32(), self._cursor.u64()
        if key == "tokenizer.ggml.tokens":
            self._vocabulary_size = count
        if kind == _STRING:
            if count * 8 > self._cursor.remaining:
                raise _damaged("This file promises more than it holds.")
            self._cursor.skip_texts(count)
        elif kind in _SCALARS:
            self._cursor.skip(count * _SCALARS[kind].size)
        else:
            raise _damaged("This file holds a kind of list that is not known.")

    def _tensors(self, count: int) -> int:
        """Check the tensor list; returns the bytes of all tensors with their padding."""
        if count == 0:
            raise _damaged("This file has no weights.")
        alignment = self._alignment()
        names: set[bytes] = set()
        end = unpadded_end = 0
        for _ in range(count):
            names.add(self._cursor.take(self._length(TENSOR_NAME_BYTES_LIMIT)))
            size = self._tensor_size()
            if self._cursor.u64() != end:
                raise _damaged("The weights in this file are not where they should be.")
            unpadded_end = end + size
            end = -(-unpadded_end // alignment) * alignment
            self._cursor.check_time()
        if len(names) != count:
            raise _damaged("This file holds the same weights twice.")
        data_start = -(-self._cursor.position // alignment) * alignment
        if data_start + unpadded_end > self._size:
            raise _damaged("This file is cut short: part of the weights is missing.")
        return end

    def _tensor_size(self) -> int:
        dimensions = self._cursor.u32()
        if not 1 <= dimensions <= DIMENSIONS_LIMIT:
            raise _damaged("The weights in this file have an impossible shape.")
        shape = [self._cursor.u64() for _ in range(dimensions)]
        kind = TENSOR_TYPES.get(self._cursor.u32())
        if kind is None:
            raise _damaged("The weights in this file have a type that is not known here.")
        elements = math.prod(shape)
        if elements == 0 or elements >= 1 << 63 or shape[0] % kind.block_elements:
            raise _damaged("The weights in this file have an impossible shape.")
        self._parameters += elements
        return elements // kind.block_elements * kind.block_bytes

    def _alignment(self) -> int:
        alignment = self._values.get("general.alignment", ALIGNMENT_DEFAULT)
        if (
            not isinstance(alignment, int)
            or not 1 <= alignment <= 1 << 16
            or alignment & (alignment - 1)
        ):
            raise _damaged("The weights in this file are laid out in an impossible way.")
        return alignment

    def _header(self, version: int, tensor_count: int, tensor_bytes: int) -> GgufHeader:
        architecture = self._text("general.architecture")
        if architecture is None:
            raise _damaged("This file does not say what kind of model it is.")
        if (self._integer("split.count") or 1) > 1:
            raise _damaged("This file is one part of several. Allerac needs a model in one file.")
        blocks = self._integer(f"{architecture}.block_count") or 0
        if not 1 <= blocks <= min(LAYERS_LIMIT, tensor_count):
            raise _damaged("This model has an impossible number of layers.")
        context = self._integer(f"{architecture}.context_length") or 0
        if not 1 <= context < 1 << 31:
            raise _damaged("This model has an impossible context length.")
        self._check_epsilon(architecture)
        file_type = self._integer("general.file_type")
        return GgufHeader(
            version=version,
            architecture=architecture,
            name=self._text("general.name"),
            license=self._text("general.license"),
            context_length=context,
            block_count=blocks,
            parameters=self._parameters,
            tensor_count=tensor_count,
            tensor_bytes=tensor_bytes,
            file_type=file_type,
            quantization=None if file_type is None else FILE_TYPES.get(file_type),
            vocabulary_size=self._vocabulary_size,
            chat_template=self._text("tokenizer.chat_template"),
            kv_bytes_per_token=self._kv_bytes_per_token(architecture, blocks),
            size_bytes=self._size,
        )

    def _check_epsilon(self, architecture: str) -> None:
        """llama.cpp aborts at the first token where a norm's epsilon is negative."""
        for name in ("layer_norm_rms_epsilon", "layer_norm_epsilon"):
            value = self._values.get(f"{architecture}.attention.{name}", 0.0)
            if not isinstance(value, float) or not 0.0 <= value < 1.0:
                raise _damaged("This model contains an impossible number.")

    def _kv_bytes_per_token(self, architecture: str, blocks: int) -> int | None:
        heads = self._integer(f"{architecture}.attention.head_count")
        width = self._integer(f"{architecture}.embedding_length")
        if not heads or not width:
            return None
        kv_heads = self._integer(f"{architecture}.attention.head_count_kv") or heads
        key = self._integer(f"{architecture}.attention.key_length") or width // heads
        value = self._integer(f"{architecture}.attention.value_length") or width // heads
        return blocks * kv_heads * (key + value) * 2

    def _text(self, key: str) -> str | None:
        value = self._values.get(key)
        return value if isinstance(value, str) and value else None

    def _integer(self, key: str) -> int | None:
        value = self._values.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None
