"""What the way from the engine's process to the caller costs: `python -m benchmarks.engine`.

For every streamed token the time from the moment at which the engine's process hands it over to
the moment at which the caller's loop holds it: encoding, the socket, decoding, routing, waking.
The model has random weights of a size whose step takes some milliseconds. Beside it, in the same
run, the same number of bytes from a process that is as busy through a bare socket to a bare
protocol: what the machine itself takes to wake a waiting process.
"""

import argparse
import asyncio
import logging
import socket
import struct
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog

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


_BARE_SENDER: Final = """
import socket, struct, sys, time
sock = socket.socket(fileno=int(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    end = time.monotonic() + 0.010
    while time.monotonic() < end:
        pass
    sock.sendall(struct.pack("d", time.monotonic()) + bytes(248))
"""
_BARE_BYTES: Final = 256


class _Bare(asyncio.Protocol):
    """Notes how long each frame of the bare sender was on its way."""

    def __init__(self, ended: "asyncio.Future[None]") -> None:
        self._ended = ended
        self._buffer = b""
        self.milliseconds: list[float] = []

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self._buffer += data
        while len(self._buffer) >= _BARE_BYTES:
            (sent_at,) = struct.unpack_from("d", self._buffer)
            self._buffer = self._buffer[_BARE_BYTES:]
            self.milliseconds.append((now - sent_at) * 1000)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended.set_result(None)


async def measure_bare(frames: int) -> list[float]:
    """Milliseconds of `frames` frames from a busy process through a bare socket."""
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    _, bare = await loop.create_connection(lambda: _Bare(ended), sock=ours)
    sender = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _BARE_SENDER,
        str(theirs.fileno()),
        str(frames),
        pass_fds=[theirs.fileno()],
    )
    theirs.close()
    await ended
    await sender.wait()
    return bare.milliseconds


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
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=200, help="tokens of each answer")
    arguments = parser.parse_args()
    print("Milliseconds on the way, per token")
    print(f"{'':>12} {'tokens':>8} {'tokens/s':>9} {'p50':>8} {'p99':>8}")
    bare = asyncio.run(measure_bare(arguments.tokens * 2))
    bare_p99 = percentile(bare, 0.99)
    print(f"{'bare socket':>12} {'':>8} {'':>9} {percentile(bare, 0.5):>8.3f} {bare_p99:>8.3f}")
    p99 = 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = write_tiny_model(Path(folder) / "random.gguf", context_length=4096, shape=SHAPE)
        for streams in (1, 4, 8):
            overhead, speed = asyncio.run(measure(path, streams, arguments.tokens))
            values = overhead.milliseconds
            p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
            name = f"{streams} stream{'s' if streams > 1 else ''}"
            print(f"{name:>12} {len(values):>8} {speed:>9.1f} {p50:>8.3f} {p99:>8.3f}")
    print(
        f"p99 with 8 streams <= {TARGET_P99_MS:g} ms: {'met' if p99 <= TARGET_P99_MS else 'missed'}"
    )
    print(f"p99 with 8 streams, less the bare socket's: {p99 - bare_p99:.3f} ms")


if __name__ == "__main__":
    main()
