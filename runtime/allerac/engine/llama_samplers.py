"""The door to llama.cpp's samplers and grammars, typed. Nothing here decides anything.

Only the engine process imports this; see `allerac.engine.llama`. Each object belongs to one
answer, and to one thread at a time; `free` it.
"""

import ctypes
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from llama_cpp import llama_cpp as llama

from allerac.engine.llama import Context, Logits, Model

RANDOM_SEED: Final[int] = llama.LLAMA_DEFAULT_SEED
_PENALTY_TOKENS: Final = 64  # how far back a repetition counts; llama.cpp's default
_CANDIDATE: Final = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])

Tokens = npt.NDArray[np.int32]


class Candidates:
    """Tokens with their scores, as llama.cpp's samplers take them: narrowed down, then one chosen.

    `llama_token_data` on numpy memory.
    """

    def __init__(self, capacity: int) -> None:
        self._rows = np.zeros(capacity, _CANDIDATE)
        self._array = llama.llama_token_data_array()

    @property
    def handle(self) -> Any:
        return ctypes.byref(self._array)

    @property
    def chosen(self) -> int:
        """The token that the last sampler of a chain has chosen, -1 for none."""
        at = self._array.selected
        return int(self._rows["id"][at]) if 0 <= at < self._array.size else -1

    def fill(self, logits: Logits) -> None:
        """Take every token."""
        self._rows["id"] = np.arange(len(self._rows), dtype=np.int32)
        self._rows["logit"] = logits
        self._point(len(self._rows))

    def fill_one(self, token: int) -> None:
        """Take `token` alone, as likely as can be."""
        self._rows[0] = (token, 1.0, 0.0)
        self._point(1)

    def drop(self, tokens: Tokens) -> None:
        """Make `tokens` impossible; only straight after `fill`."""
        self._rows["logit"][tokens] = -np.inf

    def keep(self, tokens: Tokens) -> None:
        """Make all but `tokens` impossible; only straight after `fill`."""
        kept = self._rows["logit"][tokens].copy()
        self._rows["logit"] = -np.inf
        self._rows["logit"][tokens] = kept

    def best(self) -> int:
        """The likeliest token, -1 where none is possible."""
        rows = self._rows[: self._array.size]
        at = int(rows["logit"].argmax())
        return int(rows["id"][at]) if np.isfinite(rows["logit"][at]) else -1

    def _point(self, size: int) -> None:
        pointer = ctypes.cast(self._rows.ctypes.data, llama.llama_token_data_p)
        self._array.data = pointer  # type: ignore[assignment]
        self._array.size, self._array.selected, self._array.sorted = size, -1, False


class SamplerChain:
    """llama.cpp's samplers in its own order: bias, penalties, filters, and last the choice."""

    def __init__(self, vocabulary_size: int) -> None:
        params = llama.llama_sampler_chain_default_params()
        params.no_perf = True
        self._vocabulary_size = vocabulary_size
        self._handle: Any = llama.llama_sampler_chain_init(params)

    def bias(self, biases: Iterable[tuple[int, float]]) -> None:
        """Add to the scores of some tokens; tokens that the vocabulary lacks are left out."""
        known = [(token, bias) for token, bias in biases if 0 <= token < self._vocabulary_size]
        array = (llama.llama_logit_bias * len(known))(
            *(llama.llama_logit_bias(token, bias) for token, bias in known)
        )
        self._add(llama.llama_sampler_init_logit_bias(self._vocabulary_size, len(known), array))

    def penalties(self, repeat: float, frequency: float, presence: float) -> None:
        self._add(
            llama.llama_sampler_init_penalties(
                self._vocabulary_size, _PENALTY_TOKENS, repeat, frequency, presence
            )
        )

    def top_k(self, count: int) -> None:
        self._add(llama.llama_sampler_init_top_k(count))

    def top_p(self, probability: float) -> None:
        self._add(llama.llama_sampler_init_top_p(probability, 1))

    def min_p(self, probability: float) -> None:
        self._add(llama.llama_sampler_init_min_p(probability, 1))

    def choose(self, temperature: float, seed: int) -> None:
        self._add(llama.llama_sampler_init_temp(temperature))
        self._add(llama.llama_sampler_init_dist(seed))

    def choose_best(self) -> None:
        self._add(llama.llama_sampler_init_greedy())

    def sample(self, context: Context, row: int) -> int:
        """Choose after batch row `row`, and remember the choice."""
        return int(llama.llama_sampler_sample(self._handle, context.handle, row))

    def apply(self, candidates: Candidates) -> int:
        """Choose among `candidates`; the choice is remembered by `accept` only."""
        llama.llama_sampler_apply(self._handle, candidates.handle)
        return candidates.chosen

    def accept(self, token: int) -> None:
        llama.llama_sampler_accept(self._handle, token)

    def free(self) -> None:
        llama.llama_sampler_free(self._handle)

    def _add(self, sampler: Any) -> None:
        llama.llama_sampler_chain_add(self._handle, sampler)


class Grammar:
    """A grammar in GBNF and how far into it an answer has come. Raises ValueError."""

    def __init__(self, model: Model, text: str) -> None:
        data = text.encode("utf-8", "replace")
        self._handle: Any = llama.llama_sampler_init_grammar(model.vocabulary, data, b"root")
        if not self._handle:
            raise ValueError("this is no grammar")

    def apply(self, candidates: Candidates) -> None:
        """Make what may not follow impossible."""
        llama.llama_sampler_apply(self._handle, candidates.handle)

    def accept(self, token: int) -> None:
        """Go on by `token`, which `apply` must have left possible: others abort the process."""
        llama.llama_sampler_accept(self._handle, token)

    def free(self) -> None:
        llama.llama_sampler_free(self._handle)
