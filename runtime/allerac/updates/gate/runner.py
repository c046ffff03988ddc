"""Holds a new system to its proofs, all within five minutes of its boot."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from allerac.errors import AlleracError

from .baseline import Baseline
from .clock import Clock
from .proof import NotProvenError, Proof
from .surroundings import Surroundings

log = structlog.get_logger()

LIMIT_SECONDS: Final = 300.0
"""From the boot (SPEC 13)."""

HOLDING_LOOK_SECONDS: Final = 2.0
"""How often a proof that must hold is asked meanwhile; a crash takes longer to recover from."""

NO_TIME: Final = "did_not_prove_itself"
"""The fault of a proof for which no time was left."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A proof that failed to the end."""

    proof: str
    fault: str
    detail: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was `proven`, what failed (the cause first), and what was never required."""

    proven: tuple[str, ...]
    faults: tuple[Fault, ...]
    not_required: tuple[str, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether everything that was required works."""
        return not self.faults


class _OutOfTimeError(Exception):
    """The limit came before the proof."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.proof)
        self.fault = fault


class Runner:
    """Tries proofs until each has succeeded or time is over; independent ones at once."""

    def __init__(
        self,
        surroundings: Surroundings,
        clock: Clock,
        *,
        limit_seconds: float = LIMIT_SECONDS,
    ) -> None:
        self._surroundings = surroundings
        self._clock = clock
        self._limit_seconds = limit_seconds

    async def judge(self, proofs: Iterable[Proof], baseline: Baseline) -> Judgement:
        """Require of `proofs` what `baseline` had."""
        ordered = sorted(proofs, key=lambda proof: proof.rank)
        required = [proof for proof in ordered if proof.required(baseline)]
        tasks: dict[str, asyncio.Task[Fault | None]] = {}
        async with asyncio.TaskGroup() as group:
            for proof in required:
                tasks[proof.code] = group.create_task(self._prove(proof, baseline, tasks))
        faults = [fault for task in tasks.values() if (fault := task.result())]
        failed = {fault.proof for fault in faults}
        return Judgement(
            proven=tuple(code for code in tasks if code not in failed),
            faults=tuple(faults),
            not_required=tuple(proof.code for proof in ordered if proof.code not in tasks),
            seconds=self._clock.since_boot(),
        )

    async def _prove(
        self, proof: Proof, baseline: Baseline, tasks: Mapping[str, asyncio.Task[Fault | None]]
    ) -> Fault | None:
        first = tasks.get(proof.after) if proof.after is not None else None
        if first is not None and await first is not None:
            return Fault(proof.code, NO_TIME, f"not tried without {proof.after}")
        try:
            await self._until_it_holds(proof, baseline)
        except _OutOfTimeError as end:
            return end.fault
        log.info("proof_succeeded", proof=proof.code, since_boot=self._clock.since_boot())
        return None

    async def _until_it_holds(self, proof: Proof, baseline: Baseline) -> None:
        last = Fault(
            proof.code, NO_TIME, f"no time was left {self._limit_seconds:.0f} s after boot"
        )
        holds_since: float | None = None
        while self._seconds_left() > 0:
            fault = await self._attempt(proof, baseline, last)
            now = self._clock.since_boot()
            if fault is None:
                holds_since = now if holds_since is None else holds_since
                if now - holds_since >= proof.holds_seconds:
                    return
                await self._wait(HOLDING_LOOK_SECONDS)
                continue
            if fault != last:
                log.warning("proof_failed", **_words(fault), since_boot=now)
            last, holds_since = fault, None
            await self._wait(proof.retry_seconds)
        if holds_since is not None and last.fault == NO_TIME:
            last = Fault(proof.code, NO_TIME, f"it did not hold for {proof.holds_seconds:.0f} s")
        raise _OutOfTimeError(last)

    async def _attempt(self, proof: Proof, baseline: Baseline, last: Fault) -> Fault | None:
        seconds = min(proof.timeout_seconds, self._seconds_left())
        try:
            async with asyncio.timeout(seconds):
                await proof.attempt(self._surroundings, baseline)
        except NotProvenError as error:
            return Fault(proof.code, error.fault, error.detail)
        except TimeoutError:
            if seconds < proof.timeout_seconds and last.fault != NO_TIME:
                return last  # the limit cut this attempt off, which says nothing
            return Fault(proof.code, proof.first_fault, f"no end within {seconds:.0f} s")
        except (AlleracError, OSError) as error:
            return Fault(proof.code, proof.first_fault, str(error) or type(error).__name__)
        except Exception as error:  # a broken proof proves nothing
            log.exception("proof_broken", proof=proof.code)
            return Fault(proof.code, proof.first_fault, repr(error))
        return None

    async def _wait(self, seconds: float) -> None:
        await self._clock.sleep(max(0.0, min(seconds, self._seconds_left())))

    def _seconds_left(self) -> float:
        return self._limit_seconds - self._clock.since_boot()


def _words(fault: Fault) -> dict[str, str]:
    return {"proof": fault.proof, "fault": fault.fault, "detail": fault.detail}
