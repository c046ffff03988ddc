"""`allerac prove`: judge the system that has just booted, and keep it or go back."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from allerac.errors import UpdateFailed
from allerac.updates.rauc import Installer
from allerac.updates.restart import Machine

from .baseline import NEW_BOX, Baseline, BaselineFile
from .clock import BootClock, Clock
from .observation import LONGEST_SECONDS, at_least, observe
from .proof import Proof
from .proofs import find_proofs
from .reason_file import ReasonFile
from .runner import LIMIT_SECONDS, Judgement, Runner
from .surroundings import Surroundings

log = structlog.get_logger()

PROVEN: Final = 0
WENT_BACK: Final = 3
NOT_PROVEN: Final = 4
"""Nothing was marked and nowhere is to go: the boot deadline decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the gate works with; `version` is the one that runs."""

    version: str
    surroundings: Surroundings
    installer: Installer
    machine: Machine
    baseline_file: BaselineFile
    reason_file: ReasonFile
    proofs: Sequence[Proof] = field(default_factory=find_proofs)
    clock: Clock = field(default_factory=BootClock)
    limit_seconds: float = LIMIT_SECONDS
    record_seconds: float = LONGEST_SECONDS


async def prove(gate: Gate) -> int:
    """Judge and act; return `PROVEN`, `WENT_BACK` or `NOT_PROVEN`.

    A version that proved itself before only has to serve, and has its time from now on: a cable
    that was pulled since is no reason to leave it, nor a long check of the disk.
    """
    baseline = await asyncio.to_thread(gate.baseline_file.read)
    is_known = baseline.version == gate.version
    late_seconds = gate.clock.since_boot() if is_known else 0.0
    runner = Runner(gate.surroundings, gate.clock, limit_seconds=gate.limit_seconds + late_seconds)
    judgement = await runner.judge(gate.proofs, NEW_BOX if is_known else baseline)
    log.info(
        "gate_judged",
        version=gate.version,
        passed=judgement.passed,
        faults=[fault.fault for fault in judgement.faults],
        not_required=judgement.not_required,
        since_boot=round(judgement.seconds, 1),
    )
    try:
        if judgement.passed:
            await gate.installer.mark("good", "booted")
        elif is_known or not await _can_go_back(gate):
            return NOT_PROVEN
        else:
            await _go_back(gate, judgement, baseline.attempt)
            return WENT_BACK
    except UpdateFailed as error:
        log.exception("gate_could_not_act", reason=error.reason, detail=error.detail)
        return NOT_PROVEN
    if not is_known:
        await asyncio.to_thread(gate.reason_file.write, gate.version, judgement, baseline.attempt)
        await _record(gate, baseline)
    return PROVEN


async def _can_go_back(gate: Gate) -> bool:
    slots = await gate.installer.slots()
    possible = slots.other.bootable and slots.other.complete
    if not possible:
        log.error("gate_no_way_back", other=slots.other.name)
    return possible


async def _go_back(gate: Gate, judgement: Judgement, attempt: str | None) -> None:
    """Say why before anything changes: after the mark the power may go.

    The first reason of an attempt stays; who is started again has only less time.
    """
    known = await gate.reason_file.last()
    told = None if known is None or known.passed else (known.version, known.attempt)
    if attempt is None or told != (gate.version, attempt):
        await asyncio.to_thread(gate.reason_file.write, gate.version, judgement, attempt)
    await gate.installer.mark("bad", "booted")
    await gate.machine.restart()


async def _record(gate: Gate, before: Baseline) -> None:
    """Only after the mark: without a record the next boot judges again.

    What was proven is kept at once, for the power may go while it is measured. That ends before
    the boot's deadline, which waits for the end of the command.
    """
    proven = replace(before, version=gate.version, attempt=None)
    if not await _keep(gate, proven):
        return
    try:
        async with asyncio.timeout(gate.record_seconds):
            observed = await observe(gate.surroundings, gate.version, before)
    except TimeoutError:
        log.warning("baseline_not_measured", seconds=gate.record_seconds)
        return
    await _keep(gate, at_least(observed, proven))


async def _keep(gate: Gate, baseline: Baseline) -> bool:
    try:
        await asyncio.to_thread(gate.baseline_file.write, baseline)
    except OSError as error:
        log.warning("baseline_not_kept", reason=str(error))
        return False
    return True
