"""The model answers, about as fast as it did on this very unit."""

import math
from typing import Final

from allerac.updates.gate.baseline import Baseline
from allerac.updates.gate.proof import NotProvenError, Proof, Sentence
from allerac.updates.gate.surroundings import Surroundings

LEAST_SHARE: Final = 0.7
"""Of this unit's own recorded speed (SPEC 13)."""


async def _attempt(surroundings: Surroundings, baseline: Baseline) -> None:
    spoken = await surroundings.model.canary()
    speed, before = spoken.tokens_per_second, baseline.tokens_per_second
    if not spoken.text.strip():
        raise NotProvenError("no_answer", "the answer is empty")
    if before is None:
        return
    if speed is None or not math.isfinite(speed):
        raise NotProvenError("no_answer", "the answer is too short to tell its speed")
    if speed < LEAST_SHARE * before:
        fault = "too_hot" if await surroundings.thermometer.is_hot() else "too_slow"
        raise NotProvenError(fault, f"{speed:.1f} of {before:.1f} tokens a second")


PROOF = Proof(
    code="canary",
    rank=60,
    timeout_seconds=90,
    retry_seconds=15,  # enough for a hot processor to cool down by some degrees
    after="model",
    faults={
        "no_answer": Sentence(
            "The model did not answer in the new version.",
            "Das Modell hat in der neuen Version nicht geantwortet.",
        ),
        "too_slow": Sentence(
            "The model answered much more slowly in the new version.",
            "Das Modell hat in der neuen Version viel langsamer geantwortet.",
        ),
        "too_hot": Sentence(
            "The box stayed too hot to try the new version.",
            "Die Box blieb zu heiß, um die neue Version zu erproben.",
        ),
    },
    required=lambda baseline: baseline.model_id is not None,
    attempt=_attempt,
)
