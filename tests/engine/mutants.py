"""Model files that are broken in every way chance finds, and what becomes of each.

    python -m tests.engine.mutants --number 10000 --seed 1

A file that passes the header's check is loaded in a fork that may die, with the limits of a trial:
the same code as in the engine's process, without Python's start for each file.
"""

import argparse
import os
import resource
import signal
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final, Literal

from allerac.engine.gguf import read_header
from allerac.engine.protocol import ModelFile
from allerac.errors import AlleracError, ModelDamaged
from tests.engine.tiny_model import write_tiny_model

ANSWER_SECONDS: Final = 2.0
MEMORY_BYTES: Final = 4 << 30
_EXTREMES: Final = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)
_LOADED, _REFUSED = 0, 10

Outcome = Literal["header refuses", "engine refuses", "loads", "child died", "child hung"]


@dataclass(slots=True)
class Findings:
    """How many files ended how; `slowest_seconds` until the answer."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    late: int = 0

    def add(self, outcome: Outcome, seconds: float) -> None:
        self.outcomes[outcome] += 1
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        self.late += seconds > ANSWER_SECONDS


def mutated(whole: bytes, dice: Random, header_bytes: int) -> bytes:
    """Return `whole` with one to four faults, most of them in its header."""
    content = bytearray(whole)
    for _ in range(dice.randint(1, 4)):
        dice.choice(_FAULTS)(content, dice, header_bytes)
    return bytes(content)


def _flip(content: bytearray, dice: Random, header_bytes: int) -> None:
    content[dice.randrange(min(header_bytes, len(content)))] ^= 1 << dice.randrange(8)


def _replace(content: bytearray, dice: Random, header_bytes: int) -> None:
    at = dice.randrange(min(header_bytes, len(content)))
    content[at : at + dice.randint(1, 16)] = dice.randbytes(dice.randint(1, 16))


def _extreme(content: bytearray, dice: Random, header_bytes: int) -> None:
    at = dice.randrange(max(1, min(header_bytes, len(content)) - 8))
    value = dice.choice(_EXTREMES)
    form, size = ("<I", 4) if value < 1 << 32 and dice.random() < 0.5 else ("<Q", 8)
    content[at : at + size] = struct.pack(form, value)


def _cut(content: bytearray, dice: Random, _: int) -> None:
    if dice.random() < 0.3 and len(content) > 1:
        del content[dice.randrange(1, len(content)) :]


def _weights(content: bytearray, dice: Random, header_bytes: int) -> None:
    if len(content) > header_bytes:
        at = dice.randrange(header_bytes, len(content))
        content[at : at + 64] = dice.randbytes(len(content[at : at + 64]))


def _names(content: bytearray, dice: Random, _: int) -> None:
    """Change the value behind a key that llama.cpp reads, where it is known to be touchy."""
    key = dice.choice((b"block_count", b"head_count", b"embedding_length", b"rms_epsilon"))
    at = content.find(key)
    if at >= 0:
        value = dice.choice((0, 1, 3, 255, 512, 65535, 1_000_000, 0x7FFFFFFF, 0xFFFFFFFF))
        content[at + len(key) + 4 : at + len(key) + 8] = struct.pack("<I", value)


_FAULTS: Final[tuple[Callable[[bytearray, Random, int], None], ...]] = (
    _flip, _flip, _replace, _extreme, _extreme, _cut, _weights, _names,
)  # fmt: skip


def examine(path: Path) -> Outcome:
    """Let `path` be read, and loaded where its header is right. Never takes this process down."""
    try:
        read_header(path)
    except ModelDamaged:
        return "header refuses"
    child = os.fork()
    if not child:
        os._exit(_load(path))
    end = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return _outcome(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "child hung"


def _outcome(status: int) -> Outcome:
    if not os.WIFEXITED(status):
        return "child died"
    codes: dict[int, Outcome] = {_LOADED: "loads", _REFUSED: "engine refuses"}
    return codes.get(os.WEXITSTATUS(status), "child died")


def _load(path: Path) -> int:
    from allerac.engine.service import load_model

    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 2)
    os.environ["GGML_NO_BACKTRACE"] = "1"
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        load_model(ModelFile(model_id="mutant", path=path, context_length=256, threads=1))
    except (AlleracError, MemoryError):
        return _REFUSED
    return _LOADED


def write_mutant(folder: Path, seed: int) -> Path:
    """Write the broken file of this number, the same every time, in place of the one before."""
    good = folder / "whole.gguf"
    whole = (good if good.exists() else write_tiny_model(good)).read_bytes()
    header_bytes = whole.index(b"blk.1.ffn_down.weight") + 64
    path = folder / "mutant.gguf"
    path.write_bytes(mutated(whole, Random(seed), header_bytes))  # noqa: S311 - variety, not secrecy
    return path


def run(number: int, seed: int, folder: Path) -> Iterator[tuple[Outcome, float]]:
    """Make and examine `number` files; yields how each ended and after how many seconds."""
    import allerac.engine.service  # noqa: F401 - loaded once, before the forks

    for at in range(number):
        path = write_mutant(folder, seed * 1_000_003 + at)
        started = time.monotonic()
        yield examine(path), time.monotonic() - started


def main() -> None:
    """Print what became of the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    findings = Findings()
    with tempfile.TemporaryDirectory() as folder:
        for outcome, seconds in run(asked.number, asked.seed, Path(folder)):
            findings.add(outcome, seconds)
    lines = [f"{outcome:16} {number:6}" for outcome, number in findings.outcomes.most_common()]
    lines.append(
        f"slowest answer   {findings.slowest_seconds:6.2f} s, {findings.late} later than 2 s"
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
