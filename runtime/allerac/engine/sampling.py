"""Chooses the next token from a row of logits."""

from typing import Final, Protocol

import numpy as np

from allerac.engine.grammar import InGrammar, Spelling
from allerac.engine.llama import Context, Model
from allerac.engine.llama_samplers import RANDOM_SEED, Grammar, SamplerChain
from allerac.engine.logprobs import Recorded
from allerac.engine.protocol import Sampling
from allerac.errors import InvalidInput

_SEED_MASK: Final = 0xFFFFFFFF


class Sampler(Protocol):
    """One answer's way to choose; keeps its random state across pre-emption."""

    def sample(self, context: Context, row: int) -> int:
        """The next token after batch row `row`."""

    def free(self) -> None:
        """Give the memory back."""


class Greedy:
    """The most likely token. numpy's argmax is quicker than a chain and needs no state."""

    def sample(self, context: Context, row: int) -> int:
        return int(context.logits(row).argmax())

    def free(self) -> None:
        """Nothing is held."""


class Samplers:
    """Makes samplers for one model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._spelling: Spelling | None = None

    def make(self, sampling: Sampling) -> Sampler:
        """Return the sampler that `sampling` asks for. Raises `InvalidInput` for its grammar."""
        sampler = self._choice(sampling)
        if sampling.top_logprobs is None:
            return sampler
        return Recorded(sampler, self._model.spelled, sampling.top_logprobs)

    def _choice(self, sampling: Sampling) -> Sampler:
        size = self._model.vocabulary_size
        if sampling.grammar is None:
            return Greedy() if _is_plain(sampling) else _chain(sampling, size)
        if self._spelling is None:
            self._spelling = Spelling(self._model)
        try:
            grammar = Grammar(self._model, sampling.grammar)
        except ValueError as err:
            raise InvalidInput(
                "The form that was asked for the answer is too complex.",
                fields={"response_format": "is too complex"},
            ) from err
        return InGrammar(_chain(sampling, size), grammar, self._spelling, size)


def _is_plain(sampling: Sampling) -> bool:
    changed = sampling.logit_bias or _penalties(sampling) != (1.0, 0.0, 0.0)
    return sampling.temperature <= 0 and not changed


def _penalties(sampling: Sampling) -> tuple[float, float, float]:
    return sampling.repeat_penalty, sampling.frequency_penalty, sampling.presence_penalty


def _chain(sampling: Sampling, vocabulary_size: int) -> SamplerChain:
    chain = SamplerChain(vocabulary_size)
    if sampling.logit_bias:
        chain.bias(sampling.logit_bias)
    if _penalties(sampling) != (1.0, 0.0, 0.0):
        chain.penalties(*_penalties(sampling))
    if sampling.temperature <= 0:
        chain.choose_best()
        return chain
    if sampling.top_k > 0:
        chain.top_k(sampling.top_k)
    if sampling.top_p < 1:
        chain.top_p(sampling.top_p)
    if sampling.min_p > 0:
        chain.min_p(sampling.min_p)
    chain.choose(sampling.temperature, _seed(sampling.seed))
    return chain


def _seed(seed: int | None) -> int:
    """llama.cpp takes 32 bits, of which the largest value means a random seed."""
    if seed is None:
        return RANDOM_SEED
    masked = seed & _SEED_MASK
    return 0 if masked == RANDOM_SEED else masked


def numbers_are_sound(context: Context, row: int) -> bool:
    """False when the weights produce values that are no numbers."""
    return bool(np.isfinite(context.logits(row)).all())
