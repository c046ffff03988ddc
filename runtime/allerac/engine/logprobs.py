"""How likely the model found what it said: natural logarithms of probabilities, before filters."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from allerac.engine.llama import Context, Logits
from allerac.engine.protocol import Likelihood, TokenLikelihood


class Choice(Protocol):
    """What chooses tokens."""

    def sample(self, context: Context, row: int) -> int:
        """The next token after batch row `row`."""

    def free(self) -> None:
        """Give the memory back."""


class Recorded:
    """Samples by `inner`, and keeps the probabilities of its choices and of the `top` best."""

    def __init__(self, inner: Choice, spell: Callable[[int], bytes], top: int) -> None:
        self._inner = inner
        self._spell = spell
        self._top = top
        self._taken: list[TokenLikelihood] = []

    def sample(self, context: Context, row: int) -> int:
        """The choice of `inner`."""
        token = self._inner.sample(context, row)
        logits = context.logits(row)
        total = _log_of_sum(logits)
        best = self._likelihoods(logits, total)
        self._taken.append(TokenLikelihood(self._likelihood(logits, total, token), best))
        return token

    def take(self) -> tuple[TokenLikelihood, ...]:
        """Return what was kept since the last time."""
        taken, self._taken = tuple(self._taken), []
        return taken

    def free(self) -> None:
        """Give the memory back."""
        self._inner.free()

    def _likelihoods(self, logits: Logits, total: float) -> tuple[Likelihood, ...]:
        count = min(self._top, len(logits))
        if not count:
            return ()
        best = np.argpartition(logits, -count)[-count:]
        ordered = best[np.argsort(logits[best])[::-1]]
        return tuple(self._likelihood(logits, total, int(token)) for token in ordered)

    def _likelihood(self, logits: Logits, total: float, token: int) -> Likelihood:
        return Likelihood(self._spell(token), float(logits[token]) - total)


def _log_of_sum(logits: Logits) -> float:
    peak = float(logits.max())
    return peak + float(np.log(np.exp(logits - peak, dtype=np.float64).sum()))
