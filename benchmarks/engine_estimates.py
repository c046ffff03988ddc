"""How far off the told waits are: `python -m benchmarks.engine_estimates`.

A wait is what a person was told first, once anything could be told; it is compared with the time
until the first word, as the box itself records it. Waits that are none are left out there and here.
"""

import argparse
import asyncio
import logging
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

import structlog

from allerac.engine.protocol import Finished
from allerac.engine.supervisor import EngineSupervisor
from allerac.engine.wire import Step
from allerac.hardware.machine import detect_machine
from allerac.models.speeds import SHORTEST_SECONDS
from benchmarks.engine_cases import ENDLESS, hear, letters, percentile
from benchmarks.engine_ours import Ours, running_ours
from benchmarks.llama_server import ServerSettings
from benchmarks.random_weights import write_random_model
from tests.engine.tiny_model import Shape, write_tiny_model

ERROR_MOST: Final = 0.20
TINY: Final = Shape(width=512, heads=8, layers=8)
CELLS: Final = 8192
SEQUENCES: Final = 8
LENGTHS: Final = (128, 512, 1024)
WORDS: Final = 16
CROWD: Final = 12
"""More than run at once, so that some are told their position."""


class Waits:
    """Hears how the answers of `engine` came, as the box's own record does."""

    def __init__(self, engine: EngineSupervisor) -> None:
        self._errors: list[float] = []
        engine.listen(self._hear)

    def take(self) -> list[float]:
        """Return the errors since the last time, as shares of the time that it took."""
        taken, self._errors = self._errors, []
        return taken

    def _hear(self, step: Step) -> None:
        for _, event in step.events:
            if isinstance(event, Finished):
                told, actual = event.usage.estimated_seconds, event.usage.first_token_seconds
                if told is not None and actual >= SHORTEST_SECONDS:
                    self._errors.append(abs(told / actual - 1))


async def alone(ours: Ours) -> None:
    """One person, prompts of several lengths."""
    for length in LENGTHS:
        await hear(ours, letters(length), WORDS)


async def beside(ours: Ours) -> None:
    """The same while somebody else's answer goes on."""
    streaming = asyncio.create_task(hear(ours, letters(WORDS), ENDLESS, "bob"))
    try:
        await alone(ours)
    finally:
        streaming.cancel()
        await asyncio.gather(streaming, return_exceptions=True)


async def together(ours: Ours) -> None:
    """Four people ask at the same moment."""
    await asyncio.gather(*(hear(ours, letters(512), WORDS, f"p{n}") for n in range(4)))


async def crowd(ours: Ours) -> None:
    """More people than are answered at once."""
    await asyncio.gather(*(hear(ours, letters(256), WORDS, f"p{n}") for n in range(CROWD)))


SITUATIONS: Final[Mapping[str, Callable[[Ours], Awaitable[None]]]] = {
    "alone": alone,
    "beside an answer": beside,
    "four together": together,
    f"{CROWD} at once": crowd,
}


async def errors_of(ours: Ours, waits: Waits) -> Mapping[str, list[float]]:
    """Go through all situations once."""
    waits.take()
    found = {}
    for name, situation in SITUATIONS.items():
        await situation(ours)
        found[name] = waits.take()
    return found


async def measure(settings: ServerSettings, rounds: int) -> Mapping[str, list[float]]:
    """The errors of each situation over `rounds`."""
    found: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="allerac-bench-") as folder:
        async with running_ours(settings, Path(folder)) as ours:
            waits = Waits(ours.engine)
            for _ in range(rounds):
                for name, errors in (await errors_of(ours, waits)).items():
                    found[name] += errors
    return found


def _line(name: str, errors: Sequence[float]) -> str:
    if not errors:
        return f"{name:24}{0:>8}"
    return f"{name:24}{len(errors):>8}{median(errors):>10.2f}{percentile(errors, 0.9):>8.2f}"


def main() -> None:
    """Write the model, ask, print the table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", choices=["Q4_0", "Q4_K_M", "tiny"], default="Q4_0")
    parser.add_argument("--threads", type=int, default=detect_machine().cores)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="allerac-bench-") as folder:
        path = Path(folder) / "random.gguf"
        model = (
            write_tiny_model(path, context_length=4096, shape=TINY)
            if asked.model == "tiny"
            else write_random_model(path, asked.model)
        )
        settings = ServerSettings(model, CELLS, SEQUENCES, asked.threads)
        found = asyncio.run(measure(settings, asked.rounds))
    print(f"{'error of told waits':24}{'waits':>8}{'median':>10}{'p90':>8}")
    for name, errors in found.items():
        print(_line(name, errors))
    every = [error for errors in found.values() for error in errors]
    verdict = "met" if every and median(every) <= ERROR_MOST else "missed"
    print(f"{_line('all', every)}   median <= {ERROR_MOST:.2f}: {verdict}")


if __name__ == "__main__":
    main()
