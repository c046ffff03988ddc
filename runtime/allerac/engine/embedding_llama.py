"""llama.cpp for embeddings and ranking: texts in, one vector or score out.

Only the engine process imports this.

Source: llama.h of the release that llama-cpp-python 0.3.36 vendors.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from llama_cpp import llama_cpp as llama

from allerac.engine.llama import Batch, LoadError, Log, Model

Vector = npt.NDArray[np.float32]

_LONGEST_WORD: Final = 100  # as transformers' WordPiece, which calls a longer one unknown


class PooledContext:
    """Computes one result for all tokens of a text. Raises `LoadError`."""

    def __init__(
        self, model: Model, log: Log, *, length: int, threads: int, pooling: int | None = None
    ) -> None:
        params = llama.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = length
        params.n_seq_max = 1
        params.n_threads = params.n_threads_batch = threads
        params.embeddings = True
        params.no_perf = True
        if pooling is not None:
            params.pooling_type = pooling
        self._handle: Any = llama.llama_init_from_model(model.handle, params)
        if not self._handle:
            raise LoadError(log.text())
        self._model = model
        self._batch = Batch(length)
        self.length = length

    @property
    def pooling(self) -> int:
        """How the tokens become one, as llama.cpp numbers it."""
        return int(llama.llama_pooling_type(self._handle))

    def tokens(self, text: str) -> list[int]:
        """The tokens of `text` with those that the model wants around it, without a limit."""
        return self._model.tokenize(_shortened(text), add_special=True, parse_special=False)

    def pooled(self, tokens: list[int], width: int) -> Vector | None:
        """`width` numbers for `tokens`; None where the weights give none.

        What is longer than the context is cut, its last token kept: it ends the text.
        """
        if len(tokens) > self.length:
            tokens = [*tokens[: self.length - 1], tokens[-1]]
        self._batch.clear()
        self._batch.add(tokens, 0, 0, outputs=1)
        self._batch.handle.n_tokens = self._batch.size
        if not tokens or llama.llama_encode(self._handle, self._batch.handle) != 0:
            return None
        pointer = llama.llama_get_embeddings_seq(self._handle, 0)
        found = np.ctypeslib.as_array(pointer, (width,)).astype("<f4")
        return found if np.isfinite(found).all() else None

    def free(self) -> None:
        llama.llama_free(self._handle)


class EmbeddingContext(PooledContext):
    """Computes the vectors of one model's texts; pooling is what the model was trained with."""

    def __init__(self, model: Model, log: Log, *, length: int, threads: int) -> None:
        super().__init__(model, log, length=length, threads=threads)
        if not llama.LLAMA_POOLING_TYPE_NONE < self.pooling < llama.LLAMA_POOLING_TYPE_RANK:
            raise LoadError("this model does not pool its tokens into one vector")
        self.width: int = llama.llama_model_n_embd(model.handle)

    def embed(self, text: str) -> Vector | None:
        """The vector of `text`, of length 1; None where the weights give no number."""
        vector = self.pooled(self.tokens(text), self.width)
        if vector is None:
            return None
        norm = float(np.linalg.norm(vector))
        return (vector / norm).astype("<f4") if norm else vector

    def works(self) -> bool:
        """Whether the weights give a vector at all."""
        return self.embed("one") is not None


class RankingContext(PooledContext):
    """Tells how well a text answers a question, read together; the head is the model's own."""

    def __init__(self, model: Model, log: Log, *, length: int, threads: int) -> None:
        rank = llama.LLAMA_POOLING_TYPE_RANK
        super().__init__(model, log, length=length, threads=threads, pooling=rank)
        vocabulary = model.vocabulary
        self._parts_by_two: bool = llama.llama_vocab_get_add_eos(vocabulary)
        self._end: int = llama.llama_vocab_eos(vocabulary)

    def rank(self, question: str, text: str) -> float | None:
        """A score, the larger the better; None where the weights give no number.

        The pair as it was trained: `[CLS] question [SEP] text [SEP]` by BERT,
        `<s> question </s></s> text </s>` by XLM-RoBERTa. A long question loses its end.
        """
        asked = self.tokens(question)
        room = self.length // 2
        if len(asked) > room:
            asked = [*asked[: room - 1], asked[-1]]
        pair = [*asked, *([self._end] if self._parts_by_two else []), *self.tokens(text)[1:]]
        score = self.pooled(pair, 1)
        return None if score is None else float(score[0])

    def works(self) -> bool:
        """Whether the weights give a score at all."""
        return self.rank("one", "one") is not None


def _shortened(text: str) -> str:
    if all(len(word) <= _LONGEST_WORD for word in text.split()):
        return text
    return " ".join(
        word[start : start + _LONGEST_WORD]
        for word in text.split()
        for start in range(0, len(word), _LONGEST_WORD)
    )
