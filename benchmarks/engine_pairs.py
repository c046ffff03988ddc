"""Our engine beside llama.cpp's own server: `python -m benchmarks.engine_pairs`.

The same model file, threads, cells and prompts, both loaded at once, asked in turns; each ratio is
of two measurements that follow each other, so what else the machine does weighs on both. Ours is
asked through its socket, the server through HTTP on loopback, which costs it less than a
millisecond a token. A ratio that is missed is printed as missed.
"""

import argparse
import asyncio
import logging
import platform
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import httpx
import psutil
import structlog

from allerac.engine.protocol import PromptMessage
from allerac.hardware.machine import detect_machine
from benchmarks.engine_cases import CONVERSATION, SIDE_BY_SIDE, Side, flood, hear, letters
from benchmarks.engine_estimates import ERROR_MOST, Waits, errors_of
from benchmarks.engine_ours import Ours, running_ours
from benchmarks.llama_server import ServerSettings, running_llama_server
from benchmarks.random_weights import Quantisation, write_random_model

CELLS: Final = 8192
SEQUENCES: Final = 8
KEPT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Promise:
    """A ratio of ours to the other's, or a figure of ours alone, and its bound."""

    name: str
    bound: float
    at_least: bool

    def is_kept(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    @property
    def words(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.bound:.2f}"


PROMISES: Final = (
    Promise("tokens a second, 1 stream", 1.00, at_least=True),
    Promise("tokens a second, 2 streams", 1.00, at_least=True),
    Promise("tokens a second, 4 streams", 1.00, at_least=True),
    Promise("tokens a second, 8 streams", 1.00, at_least=True),
    Promise("first token, 8 arrive together, p50", 0.90, at_least=False),
    Promise("first token, 8 arrive together, p95", 0.60, at_least=False),
    Promise("first token, 8 alike, p50", 0.90, at_least=False),
    Promise("first token, 8 alike, p95", 0.60, at_least=False),
    Promise("longest gaps while others are read, p99", 1.00, at_least=False),
    Promise("memory of the process", 1.05, at_least=False),
    Promise("follow-up / cold, first token", 0.10, at_least=False),
    Promise("follow-up after kill -9 / cold, first token", 0.15, at_least=False),
    Promise("speed kept beside a flood", 0.40, at_least=True),
    Promise("share of a step that is not llama.cpp", 0.02, at_least=False),
    Promise("error of told waits", ERROR_MOST, at_least=False),
)


class Table:
    """Values of each row, one a pair."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = defaultdict(list)

    def add(self, name: str, value: float) -> None:
        self._values[name].append(value)

    def extend(self, name: str, values: Sequence[float]) -> None:
        self._values[name] += values

    def lines(self) -> list[str]:
        """One line a promise: median, range, bound, verdict."""
        found = [(promise, self._values.get(promise.name)) for promise in PROMISES]
        return [_line(promise, values) for promise, values in found if values]


def _line(promise: Promise, values: Sequence[float]) -> str:
    middle = median(values)
    span = f"{min(values):.2f} to {max(values):.2f}"
    verdict = "met" if promise.is_kept(middle) else "missed"
    return f"{promise.name:45}{middle:>8.3f}  {span:>18}{promise.words:>10}  {verdict}"


@dataclass(frozen=True, slots=True)
class Match:
    """Which cases are asked of both sides, how often, and for how many tokens."""

    cases: Sequence[str]
    pairs: int
    tokens: int


async def compare(
    ours: Ours, settings: ServerSettings, match: Match, state_dir: Path, table: Table
) -> None:
    """Ask both sides in turns; who is first changes with each pair.

    The server is another each time: one that breaks off costs the rest of its pair.
    """
    for pair in range(match.pairs):
        began = time.monotonic()
        try:
            async with running_llama_server(settings) as other:
                for name in match.cases:
                    sides: list[Side] = [ours, other] if pair % 2 == 0 else [other, ours]
                    figures = {side: await _ask(side, name, match, state_dir) for side in sides}
                    for row, value in figures[ours].items():
                        table.add(row, value / figures[other][row])
                table.add("memory of the process", _resident(ours.pid) / _resident(other.pid))
        except httpx.TransportError as error:
            print(f"llama-server broke off in pair {pair + 1}: {error!r}", flush=True)
        share = ours.engine.status().speed.overhead_share
        if share is not None:
            table.add("share of a step that is not llama.cpp", share)
        print(f"pair {pair + 1} of {match.pairs}: {time.monotonic() - began:.0f} s", flush=True)


async def _ask(side: Side, name: str, match: Match, state_dir: Path) -> Mapping[str, float]:
    """Measure a case; what ours keeps on disk is written before the other's turn."""
    figures = await SIDE_BY_SIDE[name](side, match.tokens)
    if isinstance(side, Ours):
        await _kept(state_dir)
    return figures


async def follow_up(ours: Ours, state_dir: Path, table: Table) -> None:
    """The next turn of a long conversation, and the same after the process was killed."""
    person = letters(8)
    first = PromptMessage("user", letters(CONVERSATION))
    cold = (await hear(ours, first.content, 2, person)).first
    next_turn = (first, PromptMessage("assistant", "Yes."), PromptMessage("user", letters(16)))
    table.add("follow-up / cold, first token", await _first(ours, next_turn, person) / cold)
    await _kept(state_dir)
    restarts = ours.engine.status().restarts
    psutil.Process(ours.pid).kill()
    await _until(lambda: ours.engine.status().restarts > restarts)
    await _until(lambda: ours.engine.status().state == "ready")
    after = (*next_turn[:2], PromptMessage("user", letters(16)))
    warm = await _first(ours, after, person)
    table.add("follow-up after kill -9 / cold, first token", warm / cold)


async def _first(ours: Ours, messages: tuple[PromptMessage, ...], person: str) -> float:
    began = asyncio.get_running_loop().time()
    async for _ in ours.converse(messages, 1, person):
        break
    return asyncio.get_running_loop().time() - began


async def _kept(state_dir: Path) -> None:
    """Wait until nothing more is written."""
    before = -1
    while (size := sum(file.stat().st_size for file in state_dir.rglob("*.kv"))) != before:  # noqa: ASYNC240 - a few files
        before = size
        await asyncio.sleep(1)


async def _until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(KEPT_SECONDS):
        while not claim():  # noqa: ASYNC110 - a process has no event to wait for
            await asyncio.sleep(0.05)


def _resident(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss)


async def measure(settings: ServerSettings, arguments: argparse.Namespace) -> Table:
    """All rows for one model."""
    table = Table()
    with tempfile.TemporaryDirectory(prefix="allerac-bench-") as folder:
        state_dir = Path(folder)
        async with running_ours(settings, state_dir) as ours:
            if "llama-server" not in arguments.without:
                cases = [c for c in SIDE_BY_SIDE if not arguments.only or c in arguments.only]
                match = Match(cases, arguments.pairs, arguments.tokens)
                await compare(ours, settings, match, state_dir, table)
            waits = Waits(ours.engine)
            for _ in range(arguments.pairs):
                if "estimates" not in arguments.without:
                    for errors in (await errors_of(ours, waits)).values():
                        table.extend("error of told waits", errors)
                if "follow-up" not in arguments.without:
                    await follow_up(ours, state_dir, table)
                if "flood" not in arguments.without:
                    kept = await flood(ours, arguments.tokens)
                    table.add("speed kept beside a flood", kept)
    return table


def where() -> str:
    """The machine and the commit, as a line."""
    machine = detect_machine()
    command = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    memory = round(machine.memory_bytes / 2**30)
    return f"{machine.cpu}, {machine.cores} cores, {memory} GB, {platform.system()}, {commit}"


def main() -> None:
    """Write the models, measure, print the table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5, help="measurements of each side")
    parser.add_argument("--tokens", type=int, default=32, help="tokens of an answer")
    parser.add_argument("--threads", type=int, default=detect_machine().cores)
    parser.add_argument("--models", nargs="+", default=["Q4_0", "Q4_K_M"])
    parser.add_argument("--only", nargs="+", choices=SIDE_BY_SIDE, help="cases side by side")
    parser.add_argument(
        "--without",
        nargs="+",
        choices=["llama-server", "estimates", "follow-up", "flood"],
        default=[],
    )
    arguments = parser.parse_args()
    print(f"{where()}, {arguments.threads} threads, {arguments.pairs} pairs")
    with tempfile.TemporaryDirectory(prefix="allerac-bench-") as folder:
        for name in arguments.models:
            quantisation: Quantisation = name
            model = write_random_model(Path(folder) / f"{name}.gguf", quantisation)
            settings = ServerSettings(model, CELLS, SEQUENCES, arguments.threads)
            table = asyncio.run(measure(settings, arguments))
            print(f"\nQwen2 0.5B in shape, {name}: ratio of ours to llama-server's, or ours alone")
            print(f"{'':45}{'median':>8}  {'range':>18}{'promised':>10}")
            print("\n".join(table.lines()), flush=True)
            model.unlink()


if __name__ == "__main__":
    main()
