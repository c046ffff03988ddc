"""Looking at a good system, so that the next one can be held to it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import structlog

from allerac.errors import AlleracError

from .baseline import NEW_BOX, Baseline
from .proof import NotProvenError, Proof
from .proofs import canary, database, sign_in
from .surroundings import Spoken, Surroundings

log = structlog.get_logger()

Seen = TypeVar("Seen")


async def observe(surroundings: Surroundings, version: str, before: Baseline) -> Baseline:
    """Return what works now; what cannot be seen is not required of the next version.

    The model's speed is the highest that was seen of it: otherwise it could be lost by small
    steps, each within what the gate allows.
    """
    state = await _seen("database", surroundings.data.state)
    model_id = await _seen("model", surroundings.model.loaded)
    known = before.tokens_per_second if before.model_id == model_id else None
    return Baseline(
        version=version,
        sign_in=await _works(sign_in.PROOF, surroundings),
        database=await _works(database.PROOF, surroundings),
        claimed=state is not None and state.claimed,
        addresses=tuple(await _seen("addresses", surroundings.network.addresses) or ()),
        disk_free_bytes=await _seen("disk", surroundings.disk.free_bytes) or 0,
        model_id=model_id,
        tokens_per_second=await _speed(surroundings, known) if model_id is not None else None,
    )


def at_least(observed: Baseline, proven: Baseline) -> Baseline:
    """Return `observed` with what was `proven` a moment ago and has only just paused."""
    same_model = observed.model_id is not None
    return replace(
        observed,
        sign_in=observed.sign_in or proven.sign_in,
        database=observed.database or proven.database,
        claimed=observed.claimed or proven.claimed,
        addresses=observed.addresses or proven.addresses,
        disk_free_bytes=observed.disk_free_bytes or proven.disk_free_bytes,
        model_id=observed.model_id or proven.model_id,
        tokens_per_second=observed.tokens_per_second if same_model else proven.tokens_per_second,
    )


async def _speed(surroundings: Surroundings, known: float | None) -> float | None:
    spoken: Spoken | None = await _seen(
        "canary", lambda: surroundings.model.say(canary.PROMPT, canary.MAX_TOKENS)
    )
    speeds = [known, spoken.tokens_per_second if spoken is not None else None]
    return max((speed for speed in speeds if speed is not None), default=None)


async def _works(proof: Proof, surroundings: Surroundings) -> bool:
    async def attempt() -> bool:
        await proof.attempt(surroundings, NEW_BOX)
        return True

    return await _seen(proof.code, attempt) or False


async def _seen(what: str, look: Callable[[], Awaitable[Seen]]) -> Seen | None:
    try:
        return await look()
    except (NotProvenError, AlleracError, OSError) as error:
        log.info("baseline_without", what=what, reason=str(error))
        return None
