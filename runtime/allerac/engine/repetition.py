"""Notices an answer that goes round in circles.

Small models fall into saying the same few tokens for ever. What people ask for repeats too: lines
of a table, rows of dashes, zeros in a list. So it takes many turns of the same circle, and many
tokens, before an answer is given up.
"""

from collections.abc import Sequence
from typing import Final

PERIOD_TOKENS_LIMIT: Final = 64  # a longer circle ends at the answer's own limit
TURNS: Final = 8
TOKENS_MIN: Final = 96
CHECK_TOKENS: Final = 16  # between looks: each costs some ten microseconds


def is_looping(tokens: Sequence[int], first: int) -> bool:
    """Tell whether what follows position `first` ends in the same tokens over and over.

    Looks only every `CHECK_TOKENS` tokens.
    """
    length = len(tokens) - first
    if length < TOKENS_MIN or length % CHECK_TOKENS:
        return False
    return any(
        _repeats(tokens, period, max(TOKENS_MIN, TURNS * period))
        for period in range(1, PERIOD_TOKENS_LIMIT + 1)
        if TURNS * period <= length
    )


def _repeats(tokens: Sequence[int], period: int, length: int) -> bool:
    return tokens[-1] == tokens[-1 - period] and (
        tokens[-length:-period] == tokens[-length + period :]
    )
