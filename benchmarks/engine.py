"""What the way from the engine's process to the caller costs: `python -m benchmarks.engine`.

For every streamed token the time from the moment at which the engine's process hands it over to
the moment at which the caller's loop holds it: encoding, the socket, decoding, routing, waking.
The model has random weights of a size whose step takes some milliseconds.
"""

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from allerac.engine.protocol import (
    Delta,
    Finished,
    GenerationRequest,
    ModelFile,
    PromptMessage,
    Sampling,
)
from allerac.engine.supervisor import EngineSupervisor
from allerac.engine.wire import Step
from tests.engine.tiny_model import Shape, write_tiny_model

TARGET_P99_MS: Final = 1.0
SHAPE: Final = Shape(width=512, heads=8, layers=8)


class Overhead:
    """Milliseconds on the way, token by token."""

    def __init__(self) -> None:
        self._sent: dict[str, deque[float]] = defaultdict(deque)
        self.milliseconds: list[float] = []

    def on_step(self, step: Step) -> None:
        for request_id, event in step.events:
            if isinstance(event, Delta):
                self._sent[request_id].append(step.sent_at)

    def received(self, request_id: str) -> None:
        sent_at = self._sent[request_id].popleft()
        self.milliseconds.append((time.monotonic() - sent_at) * 1000)


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def _stream(engine: EngineSupervisor, overhead: Overhead, number: int, tokens: int) -> float:
    """One answer; returns its tokens per second."""
    request_id = f"{time.monotonic_ns()}-{number}"
    sampling = Sampling(temperature=1.0, seed=number, max_tokens=tokens)
    messages = (PromptMessage("user", "Tell me a story."),)
    request = GenerationRequest(request_id, "random", f"person-{number}", messages, sampling)
    speed = 0.0
    async for event in engine.generate(request):
        if isinstance(event, Delta):
            overhead.received(request_id)
        elif isinstance(event, Finished):
            speed = event.usage.tokens_per_second or 0.0
    return speed


async def measure(model: Path, streams: int, tokens: int) -> tuple[Overhead, float]:
    """Stream to `streams` callers at once; returns the overheads and the sum of their speeds."""
    overhead = Overhead()
    engine = EngineSupervisor(on_step=overhead.on_step)
    await engine.start()
    try:
        await engine.load(
            ModelFile(
                model_id="random", path=model, context_length=4096, threads=1, sequences=streams
            )
        )
        answers = (_stream(engine, overhead, number, tokens) for number in range(streams))
        speeds = await asyncio.gather(*answers)
    finally:
        await engine.stop()
    return overhead, sum(speeds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=200, help="tokens of each answer")
    arguments = parser.parse_args()
    print(f"{'streams':>8} {'tokens':>8} {'tokens/s':>9} {'p50 ms':>8} {'p99 ms':>8}  target")
    with tempfile.TemporaryDirectory() as folder:
        path = write_tiny_model(Path(folder) / "random.gguf", context_length=4096, shape=SHAPE)
        for streams in (1, 4, 8):
            overhead, speed = asyncio.run(measure(path, streams, arguments.tokens))
            values = overhead.milliseconds
            p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
            verdict = "met" if p99 <= TARGET_P99_MS else "missed"
            print(
                f"{streams:>8} {len(values):>8} {speed:>9.1f} {p50:>8.3f} {p99:>8.3f}"
                f"  p99 <= {TARGET_P99_MS:g} ms: {verdict}"
            )


if __name__ == "__main__":
    main()
