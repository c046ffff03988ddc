"""The disk keeps room for what people do today."""

from typing import Final

from allerac.updates.gate.baseline import Baseline
from allerac.updates.gate.proof import NotProvenError, Proof, Sentence
from allerac.updates.gate.surroundings import Surroundings

HEADROOM_BYTES: Final = 512 * 1024 * 1024
"""Conversations of months, and the copy of a database before its next step (assumption)."""


async def _attempt(surroundings: Surroundings, _: Baseline) -> None:
    free = await surroundings.disk.free_bytes()
    if free < HEADROOM_BYTES:
        raise NotProvenError("disk_filled", f"{free} of {HEADROOM_BYTES} bytes are free")


PROOF = Proof(
    code="disk_headroom",
    rank=10,
    timeout_seconds=10,
    holds_seconds=30,
    faults={
        "disk_filled": Sentence(
            "The new version filled the disk.", "Die neue Version hat die Festplatte gefüllt."
        )
    },
    required=lambda baseline: baseline.disk_free_bytes >= HEADROOM_BYTES,
    attempt=_attempt,
)
