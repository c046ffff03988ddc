"""llama.cpp for embeddings: one text in, one vector out. Only the engine process imports this.

Source: llama.h of the release that llama-cpp-python 0.3.36 vendors.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from llama_cpp import llama_cpp as llama

from allerac.engine.llama import Batch, LoadError, Log, Model

Vector = npt.NDArray[np.float32]

_LONGEST_WORD: Final = 100  # as transformers' WordPiece, which calls a longer one unknown


class EmbeddingContext:
    """Computes the vectors of one model's texts; pooling is what the model was trained with."""

    def __init__(self, model: Model, log: Log, *, length: int, threads: int) -> None:
        params = llama.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = length
        params.n_seq_max = 1
        params.n_threads = params.n_threads_batch = threads
        params.embeddings = True
        params.no_perf = True
        self._handle: Any = llama.llama_init_from_model(model.handle, params)
        if not self._handle:
            raise LoadError(log.text())
        if llama.llama_pooling_type(self._handle) <= llama.LLAMA_POOLING_TYPE_NONE:
            raise LoadError("this model does not pool its tokens into one vector")
        self._model = model
        self._batch = Batch(length)
        self.width: int = llama.llama_model_n_embd(model.handle)
        self.length = length

    def tokens(self, text: str) -> list[int]:
        """The tokens of `text` with those that the model wants around it, without a limit."""
        return self._model.tokenize(_shortened(text), add_special=True, parse_special=False)

    def embed(self, text: str) -> Vector | None:
        """The vector of `text`, of length 1; None where the weights give no number.

        What is longer than the context is cut, its last token kept: it ends the text.
        """
        tokens = self.tokens(text)
        if len(tokens) > self.length:
            tokens = [*tokens[: self.length - 1], tokens[-1]]
        self._batch.clear()
        self._batch.add(tokens, 0, 0, output=True)
        self._batch.handle.n_tokens = self._batch.size
        if not tokens or llama.llama_encode(self._handle, self._batch.handle) != 0:
            return None
        pointer = llama.llama_get_embeddings_seq(self._handle, 0)
        vector = np.ctypeslib.as_array(pointer, (self.width,)).astype("<f4")
        norm = float(np.linalg.norm(vector))
        if not np.isfinite(norm):
            return None
        return (vector / norm).astype("<f4") if norm else vector

    def free(self) -> None:
        llama.llama_free(self._handle)


def _shortened(text: str) -> str:
    if all(len(word) <= _LONGEST_WORD for word in text.split()):
        return text
    return " ".join(
        word[start : start + _LONGEST_WORD]
        for word in text.split()
        for start in range(0, len(word), _LONGEST_WORD)
    )
