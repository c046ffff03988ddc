"""Temperature, throttling and speed while the unit works hard for minutes."""

import asyncio
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from allerac.errors import AlleracError
from allerac.hardware.profile import BurnIn
from allerac.hardware.sensors import Sysfs, read_cpu, read_heat

from .load import Load, Pace
from .outcome import Outcome

SAMPLE_SECONDS = 1.0
TELL_SECONDS = 30.0


@dataclass(slots=True)
class Course:
    """What was seen during the load."""

    paces: list[Pace] = field(default_factory=list)
    celsius: list[float] = field(default_factory=list)
    throttled: int | None = None


async def run_load(
    load: Load, sysfs: Sysfs, limits: BurnIn, seconds: float, tell: Callable[[str], None]
) -> list[Outcome]:
    """Keep the unit answering for `seconds`; return the outcomes of speed and of heat."""
    course = Course()
    before = _throttled(sysfs)
    watching = asyncio.create_task(_watch(sysfs, course))
    try:
        await load.start()
        end = time.monotonic() + seconds
        told = end
        while not course.paces or time.monotonic() < end:
            left = end - time.monotonic()
            if told - left >= TELL_SECONDS or told == end:
                tell(f"  {left:.0f} s of inference left")
                told = left
            course.paces.append(await load.answer())
    except AlleracError as error:
        return [Outcome("inference", passed=False, reason=f"{error.message} {error.hint}".strip())]
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await load.stop()
    _look(sysfs, course)
    after = _throttled(sysfs)
    course.throttled = None if before is None or after is None else after - before
    return [_judge_speed(course, limits), _judge_heat(course, limits)]


async def _watch(sysfs: Sysfs, course: Course) -> None:
    while True:
        _look(sysfs, course)
        await asyncio.sleep(SAMPLE_SECONDS)


def _look(sysfs: Sysfs, course: Course) -> None:
    heat = read_heat(sysfs)
    if heat is not None:
        course.celsius.append(heat.celsius)


def _throttled(sysfs: Sysfs) -> int | None:
    cpu = read_cpu(sysfs)
    return cpu.throttled if cpu else None


def _judge_speed(course: Course, limits: BurnIn) -> Outcome:
    prefill = _median([pace.prefill_tokens_per_second for pace in course.paces])
    decode = _median([pace.decode_tokens_per_second for pace in course.paces])
    slow = [
        f"{what} {found or 0:.1f} tokens a second, the tier has {least:.1f}"
        for what, found, least in (
            ("reads", prefill, limits.min_prefill_tokens_per_second),
            ("writes", decode, limits.min_decode_tokens_per_second),
        )
        if found is None or found < least
    ]
    return Outcome(
        "inference",
        passed=not slow,
        measured={
            "model": limits.model,
            "answers": len(course.paces),
            "prefill_tokens_per_second": prefill,
            "decode_tokens_per_second": decode,
        },
        limits={
            "min_prefill_tokens_per_second": limits.min_prefill_tokens_per_second,
            "min_decode_tokens_per_second": limits.min_decode_tokens_per_second,
        },
        reason="; ".join(slow),
    )


def _judge_heat(course: Course, limits: BurnIn) -> Outcome:
    hottest = max(course.celsius, default=None)
    most = limits.max_temperature_celsius
    reason = ""
    if most is not None and hottest is None:
        reason = "The temperature of the processor cannot be read."
    elif most is not None and hottest is not None and hottest > most:
        reason = f"It became {hottest:.0f} °C hot, the tier allows {most}: cooler or paste."
    elif most is not None and course.throttled:
        reason = "The processor slowed itself because of heat: cooler or paste."
    return Outcome(
        "heat",
        passed=not reason,
        measured={"hottest_celsius": hottest, "throttled": course.throttled},
        limits={"max_celsius": most},
        reason=reason,
    )


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 2) if known else None
