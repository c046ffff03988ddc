"""Chooses the next token from a row of logits."""

from typing import Final, Protocol

import numpy as np

from allerac.engine.llama import RANDOM_SEED, Context, SamplerChain
from allerac.engine.protocol import Sampling

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


def sampler_for(sampling: Sampling, vocabulary_size: int) -> Sampler:
    """The sampler that `sampling` asks for."""
    if sampling.temperature <= 0:
        return Greedy()
    chain = SamplerChain(vocabulary_size, repeat_penalty=sampling.repeat_penalty)
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
