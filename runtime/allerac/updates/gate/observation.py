"""Looking at a good system, so that the next one can be held to it."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, TypeVar

import structlog

from allerac.errors import AlleracError

from .baseline import NEW_BOX, Baseline
from .proof import NotProvenError, Proof
from .proofs import database, sign_in
from .surroundings import Spoken, Surroundings

log = structlog.get_logger()

Seen = TypeVar("Seen")

LONGEST_SECONDS: Final = 120.0
"""In which a box is observed; neither a switch nor the end of a proof waits longer for a record."""

CANARIES: Final = 15
"""How many are kept: at four a day the days of half a week, hot afternoons and cool nights."""


async def observe(
    surroundings: Surroundings, version: str, before: Baseline, *, with_canary: bool = True
) -> Baseline:
    """Return what works now; what cannot be seen is not required of the next version.

    The canaries of the versions before count as long as the model is the same. Without
    `with_canary` nobody's answer is slowed down, and none is added.
    """
    state = await _seen("database", surroundings.data.state)
    model_id = await _seen("model", surroundings.model.loaded)
    known = before.canaries if before.model_id == model_id else ()
    new = await _canary(surroundings) if with_canary and model_id is not None else ()
    return Baseline(
        version=version,
        sign_in=await _works(sign_in.PROOF, surroundings),
        database=await _works(database.PROOF, surroundings),
        claimed=state is not None and state.claimed,
        addresses=tuple(await _seen("addresses", surroundings.network.addresses) or ()),
        disk_free_bytes=await _seen("disk", surroundings.disk.free_bytes) or 0,
        model_id=model_id,
        canaries=(*known, *new)[-CANARIES:],
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
        canaries=observed.canaries if same_model else proven.canaries,
    )


async def _canary(surroundings: Surroundings) -> tuple[float, ...]:
    """Return one speed; none of a machine that is too hot to show what it can do."""
    spoken: Spoken | None = await _seen("canary", surroundings.model.canary)
    speed = spoken.tokens_per_second if spoken is not None else None
    if speed is None or not math.isfinite(speed) or await surroundings.thermometer.is_hot():
        return ()
    return (speed,)


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
