"""How fast the engine writes, and how fast it once did: what "slower than before" means."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

FRESH_SECONDS: Final = 120.0
LEAST_TOKENS: Final = 16
"""Shorter answers measure the moment rather than the machine."""

LEAST_ANSWERS: Final = 5
WEIGHT: Final = 0.3
"""Of the newest answer in the running mean."""


@dataclass(slots=True)
class _Pace:
    mean: float
    answers: int
    measured_at: float


@dataclass(slots=True)
class SpeedBook:
    """Running mean and record for each model, in tokens a second, of answers that had no company.

    `records` are kept by whoever owns the disk; they only grow.
    """

    steady: Callable[[], float] = time.monotonic
    records: dict[str, float] = field(default_factory=dict)
    _paces: dict[str, _Pace] = field(default_factory=dict)

    def note(self, model_id: str, tokens: int, tokens_per_second: float) -> None:
        """Count an answer of `tokens` tokens."""
        if tokens < LEAST_TOKENS:
            return
        before = self._paces.get(model_id)
        mean = tokens_per_second
        if before is not None:
            mean = WEIGHT * tokens_per_second + (1 - WEIGHT) * before.mean
        pace = _Pace(mean, (before.answers if before else 0) + 1, self.steady())
        self._paces[model_id] = pace
        if pace.answers >= LEAST_ANSWERS:
            self.records[model_id] = max(mean, self.records.get(model_id, 0.0))

    def restore(self, records: Mapping[str, float]) -> None:
        """Take over records from before the start."""
        self.records |= records

    def current(self, model_id: str | None) -> float | None:
        """Return the running mean where the last answer is fresh."""
        pace = self._paces.get(model_id or "")
        if pace is None or self.steady() - pace.measured_at > FRESH_SECONDS:
            return None
        return pace.mean

    def record(self, model_id: str | None) -> float | None:
        """Return the best running mean of this model on this machine."""
        return self.records.get(model_id or "")
