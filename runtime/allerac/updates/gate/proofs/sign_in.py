"""People can sign in: the page comes, and behind it the runtime answers and stays."""

from typing import Final

from allerac.updates.gate.baseline import Baseline
from allerac.updates.gate.proof import NotProvenError, Proof, Sentence
from allerac.updates.gate.surroundings import Surroundings

HERE: Final = "127.0.0.1"
"""The same door as from elsewhere, whatever became of the network."""

PAGE, RUNTIME = "/", "/healthz"
OK: Final = 200


async def _attempt(surroundings: Surroundings, _: Baseline) -> None:
    runtime = await surroundings.front_door.get(HERE, RUNTIME)
    if runtime.status != OK:
        raise NotProvenError("sign_in_not_served", f"{RUNTIME} answers {runtime.status}")
    page = await surroundings.front_door.get(HERE, PAGE)
    if page.status != OK or "<html" not in page.body.lower():
        raise NotProvenError("sign_in_not_served", f"{PAGE} answers {page.status}, and no page")


PROOF = Proof(
    code="sign_in",
    rank=30,
    timeout_seconds=10,
    holds_seconds=30,
    faults={
        "sign_in_not_served": Sentence(
            "Nobody could sign in to the new version.",
            "Bei der neuen Version konnte sich niemand anmelden.",
        )
    },
    required=lambda baseline: baseline.sign_in,
    attempt=_attempt,
)
