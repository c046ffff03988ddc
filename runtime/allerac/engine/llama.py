"""The door to llama.cpp: a model and a context, typed. Samplers are beside it.

Only the engine process imports this. Nothing here decides anything. A `Context` belongs to one
thread; tokenising is safe from any. Sources: llama.h of the release that llama-cpp-python 0.3.36
vendors.
"""

import ctypes
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from llama_cpp import llama_cpp as llama

from allerac.engine.instructions import require_instructions
from allerac.engine.protocol import KvType

Logits = npt.NDArray[np.float32]

_KV_TYPES: Final[dict[KvType, int]] = {"f16": llama.GGML_TYPE_F16, "q8_0": llama.GGML_TYPE_Q8_0}
_LOG_LINES: Final = 20
_LOG_WARN: Final = 3  # GGML_LOG_LEVEL_WARN
_PIECE_BYTES: Final = 512


class LoadError(Exception):
    """llama.cpp refuses the file or cannot allocate what it needs; the text is its log."""


class Log:
    """The last warnings of llama.cpp. Must live for as long as llama.cpp may write."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_LOG_LINES)
        self._callback = llama.llama_log_callback(self._take)
        llama.llama_log_set(self._callback, None)

    def _take(self, level: int, text: bytes, _: object) -> None:
        if level >= _LOG_WARN:
            self._lines.append(text.decode("utf-8", "replace").strip())

    def text(self) -> str:
        return " | ".join(filter(None, self._lines))


class Model:
    """A loaded model and its vocabulary; `free` it after its contexts.

    Raises `LoadError`, and `EngineUnavailable` on a processor that this llama.cpp is not for.
    """

    def __init__(self, path: Path, log: Log) -> None:
        require_instructions(llama.llama_print_system_info().decode())
        params = llama.llama_model_default_params()
        params.n_gpu_layers = 0
        self._log = log  # llama.cpp holds its address
        self._handle: Any = llama.llama_model_load_from_file(str(path).encode(), params)
        if not self._handle:
            raise LoadError(log.text())
        self._vocab: Any = llama.llama_model_get_vocab(self._handle)
        self.vocabulary_size: int = llama.llama_vocab_n_tokens(self._vocab)
        self.trained_context_length: int = llama.llama_model_n_ctx_train(self._handle)
        self.has_encoder: bool = llama.llama_model_has_encoder(self._handle)
        self.forgets_parts: bool = not (
            llama.llama_model_is_recurrent(self._handle)
            or llama.llama_model_is_hybrid(self._handle)
        )
        self._adds_bos: bool = llama.llama_vocab_get_add_bos(self._vocab)
        self.bos = self._spelling(llama.llama_vocab_bos(self._vocab))
        self.eos = self._spelling(llama.llama_vocab_eos(self._vocab))
        self._piece_buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        self._pieces: dict[int, bytes] = {}

    @property
    def handle(self) -> Any:
        return self._handle

    @property
    def vocabulary(self) -> Any:
        return self._vocab

    def template(self) -> str | None:
        source = llama.llama_model_chat_template(self._handle, None)
        return source.decode("utf-8", "replace") if source else None

    def control_tokens(self) -> Iterator[str]:
        for token in range(self.vocabulary_size):
            if llama.llama_vocab_is_control(self._vocab, token):
                yield self._spelling(token)

    def adds_bos(self, text: str) -> bool:
        """Whether a prompt that begins with `text` needs its first token added."""
        return self._adds_bos and not (self.bos and text.startswith(self.bos))

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        data = text.encode("utf-8", "replace")
        tokens = (llama.llama_token * (len(data) + 8))()
        count = llama.llama_tokenize(
            self._vocab, data, len(data), tokens, len(tokens), add_special, parse_special
        )
        return tokens[: max(count, 0)]

    def piece(self, token: int) -> bytes:
        """The bytes of `token` as text; nothing for control tokens. Decode thread only."""
        piece = self._pieces.get(token)
        if piece is None:
            size = llama.llama_token_to_piece(
                self._vocab, token, self._piece_buffer, _PIECE_BYTES, 0, False
            )
            piece = self._pieces[token] = self._piece_buffer.raw[: max(size, 0)]
        return piece

    def spelled(self, token: int) -> bytes:
        """The same as `piece`, from any thread and without remembering it."""
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        size = llama.llama_token_to_piece(self._vocab, token, buffer, _PIECE_BYTES, 0, False)
        return buffer.raw[: max(size, 0)]

    def control_spelling(self, token: int) -> str:
        """How a control token is spelled; "" for any other."""
        is_control = llama.llama_vocab_is_control(self._vocab, token)
        return self._spelling(token) if is_control else ""

    def ends_answer(self, token: int) -> bool:
        return bool(llama.llama_vocab_is_eog(self._vocab, token))

    def free(self) -> None:
        llama.llama_model_free(self._handle)

    def _spelling(self, token: int) -> str:
        if token < 0:
            return ""
        return bytes(llama.llama_vocab_get_text(self._vocab, token)).decode("utf-8", "replace")


class Batch:
    """A `llama_batch` on numpy memory: filled by slices, without a ctypes call per token."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.size = 0
        self._tokens = np.zeros(capacity, np.int32)
        self._positions = np.zeros(capacity, np.int32)
        self._sequences = np.zeros(capacity, np.int32)
        self._sequence_counts = np.ones(capacity, np.int32)
        self._outputs = np.zeros(capacity, np.int8)
        addresses = self._sequences.ctypes.data + 4 * np.arange(capacity + 1)
        self._sequence_pointers = addresses.astype(np.uint64)
        self._sequence_pointers[capacity] = 0
        self.handle = llama.llama_batch()
        fields: Any = llama.llama_batch._fields_
        types = dict(fields)
        for name, array in (
            ("token", self._tokens),
            ("pos", self._positions),
            ("n_seq_id", self._sequence_counts),
            ("seq_id", self._sequence_pointers),
            ("logits", self._outputs),
        ):
            setattr(self.handle, name, ctypes.cast(array.ctypes.data, types[name]))

    @property
    def room(self) -> int:
        return self.capacity - self.size

    def clear(self) -> None:
        self.size = 0

    def add(self, tokens: list[int], position: int, sequence: int, *, outputs: int) -> int:
        """Append `tokens` of `sequence`; returns the row of the last.

        The logits of the last `outputs` rows may be asked.
        """
        start, end = self.size, self.size + len(tokens)
        self._tokens[start:end] = tokens
        self._positions[start:end] = np.arange(position, position + len(tokens))
        self._sequences[start:end] = sequence
        self._outputs[start:end] = 0
        self._outputs[end - outputs : end] = 1
        self.size = end
        return end - 1


class Context:
    """Key-value memory and computation for one model. One thread owns it; only `abort` is safe
    from others."""

    def __init__(
        self,
        model: Model,
        log: Log,
        *,
        cells: int,
        sequences: int,
        batch: int,
        threads: int,
        prefill_threads: int,
        kv_type: KvType,
    ) -> None:
        params = llama.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = cells, batch, batch
        params.n_seq_max = sequences
        params.n_threads, params.n_threads_batch = threads, prefill_threads
        params.type_k = params.type_v = _KV_TYPES[kv_type]
        params.kv_unified = True
        params.no_perf = True
        self._handle: Any = llama.llama_init_from_model(model.handle, params)
        if not self._handle:
            raise LoadError(log.text())
        self._memory: Any = llama.llama_get_memory(self._handle)
        self._vocabulary_size = model.vocabulary_size
        self.cells: int = llama.llama_n_ctx(self._handle)
        self.batch = batch
        # Asked once per graph node, hundreds of times a step. A Python function would take the
        # interpreter lock each time; strlen answers 0 for "" and 1 for one letter without it.
        self._abort_text = ctypes.create_string_buffer(2)
        self._abort_function = ctypes.cast(ctypes.CDLL(None).strlen, llama.ggml_abort_callback)
        llama.llama_set_abort_callback(
            self._handle,
            self._abort_function,
            ctypes.cast(self._abort_text, ctypes.c_void_p),
        )

    def decode(self, batch: Batch) -> int:
        """Compute `batch`: 0 done, 1 no free cells, 2 aborted, below 0 an error."""
        batch.handle.n_tokens = batch.size
        return int(llama.llama_decode(self._handle, batch.handle))

    def abort(self, *, on: bool) -> None:
        """End the running `decode` within a graph node; stays on until switched off."""
        self._abort_text[0] = b"\x01" if on else b"\x00"

    def logits(self, row: int) -> Logits:
        """Scores of the next token at `row`; valid until the next `decode`."""
        pointer = llama.llama_get_logits_ith(self._handle, row)
        return np.ctypeslib.as_array(pointer, (self._vocabulary_size,))

    def remove(self, sequence: int, start: int = 0) -> bool:
        """Forget `sequence` from position `start` on; False where the model cannot do it."""
        return bool(llama.llama_memory_seq_rm(self._memory, sequence, start, -1))

    def copy(self, source: int, target: int, end: int, start: int = 0) -> None:
        """Let `target` share the positions of `source` from `start` up to `end`."""
        llama.llama_memory_seq_cp(self._memory, source, target, start, end)

    def state(self, sequence: int) -> bytes:
        """What `sequence` holds, to be put into a context of the same model; empty on failure."""
        size = llama.llama_state_seq_get_size(self._handle, sequence)
        state = np.empty(size, np.uint8)
        address = ctypes.cast(state.ctypes.data, ctypes.POINTER(ctypes.c_uint8))
        written = llama.llama_state_seq_get_data(self._handle, address, size, sequence)
        return state[:written].tobytes()

    def set_state(self, sequence: int, state: bytes) -> bool:
        """Fill the empty `sequence`; False, and it stays empty, where that does not work."""
        data = np.frombuffer(state, np.uint8)
        address = ctypes.cast(data.ctypes.data, ctypes.POINTER(ctypes.c_uint8))
        if llama.llama_state_seq_set_data(self._handle, address, len(state), sequence):
            return True
        self.remove(sequence)
        return False

    def set_threads(self, decode: int, prefill: int) -> None:
        """Compute with this many from the next `decode` on."""
        llama.llama_set_n_threads(self._handle, decode, prefill)

    def free(self) -> None:
        llama.llama_free(self._handle)

    @property
    def handle(self) -> Any:
        return self._handle
