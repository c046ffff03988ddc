"""The engine has loaded the model that answered before."""

from allerac.updates.gate.baseline import Baseline
from allerac.updates.gate.proof import NotProvenError, Proof, Sentence
from allerac.updates.gate.surroundings import Surroundings


async def _attempt(surroundings: Surroundings, baseline: Baseline) -> None:
    loaded = await surroundings.model.loaded()
    if loaded is None:
        raise NotProvenError("model_not_loaded", f"{baseline.model_id} is not loaded")
    if loaded != baseline.model_id:
        raise NotProvenError("model_missing", f"{loaded} instead of {baseline.model_id}")


PROOF = Proof(
    code="model",
    rank=50,
    timeout_seconds=20,
    faults={
        "model_not_loaded": Sentence(
            "The new version could not load the household's model.",
            "Die neue Version konnte das Modell des Haushalts nicht laden.",
        ),
        "model_missing": Sentence(
            "The new version did not find the household's model.",
            "Die neue Version hat das Modell des Haushalts nicht gefunden.",
        ),
    },
    required=lambda baseline: baseline.model_id is not None,
    attempt=_attempt,
)
