"""The household's data is opened, in the form that this version wants, and still there."""

from allerac.errors import StorageDamaged
from allerac.updates.gate.baseline import Baseline
from allerac.updates.gate.proof import NotProvenError, Proof, Sentence
from allerac.updates.gate.surroundings import Surroundings


async def _attempt(surroundings: Surroundings, baseline: Baseline) -> None:
    try:
        state = await surroundings.data.state()
    except StorageDamaged as error:
        raise NotProvenError("data_damaged", str(error)) from error
    if state.schema < state.known_schema:
        detail = f"step {state.schema} of {state.known_schema}"
        raise NotProvenError("database_not_migrated", detail)
    if baseline.claimed and not state.claimed:
        raise NotProvenError("data_missing", "the database belongs to no household")


PROOF = Proof(
    code="database",
    rank=20,
    timeout_seconds=60,
    faults={
        "database_not_opened": Sentence(
            "The new version could not open the box's data.",
            "Die neue Version konnte die Daten der Box nicht öffnen.",
        ),
        "database_not_migrated": Sentence(
            "The new version could not bring the box's data into its form.",
            "Die neue Version konnte die Daten der Box nicht in ihre Form bringen.",
        ),
        "data_damaged": Sentence(
            "The new version found the box's data damaged.",
            "Die neue Version hat die Daten der Box beschädigt vorgefunden.",
        ),
        "data_missing": Sentence(
            "The new version did not find the box's data.",
            "Die neue Version hat die Daten der Box nicht gefunden.",
        ),
    },
    required=lambda baseline: baseline.database,
    attempt=_attempt,
)
