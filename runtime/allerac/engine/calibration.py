"""Measures how fast a model reads and writes here, in pieces that give way to whoever comes."""

import time
from statistics import median
from typing import Final, Protocol

from allerac.engine.llama import Batch
from allerac.engine.protocol import Speed

READ_TOKENS: Final = 128
READS: Final = 2  # the first one also brings the weights into memory
WRITES: Final = 12
_STRIDE: Final = 7919  # a prime: tokens differ, so a mixture of experts uses many of them


class Computer(Protocol):
    """The part of a context that this needs."""

    cells: int

    def decode(self, batch: Batch) -> int:
        """Compute; 0 when that went well."""

    def remove(self, sequence: int, start: int = 0) -> bool:
        """Forget."""


class Calibration:
    """One measurement in `sequence`, which is empty before and after."""

    def __init__(
        self, context: Computer, batch: Batch, *, sequence: int, vocabulary_size: int
    ) -> None:
        self._context = context
        self._batch = batch
        self._sequence = sequence
        self._vocabulary_size = vocabulary_size
        self._read_tokens = min(READ_TOKENS, batch.capacity, context.cells // (2 * READS))
        self._read_seconds: list[float] = []
        self._write_seconds: list[float] = []
        self._position = 0

    @property
    def cells(self) -> int:
        """Cells that must be free."""
        return READS * self._read_tokens + WRITES

    def step(self) -> Speed | None:
        """Compute one piece; returns the speed once all are done. One that fails begins anew."""
        reading = len(self._read_seconds) < READS
        seconds = self._compute(self._read_tokens if reading else 1)
        if seconds is None:
            self.stop()
            return None
        (self._read_seconds if reading else self._write_seconds).append(seconds)
        if len(self._write_seconds) < WRITES:
            return None
        self._context.remove(self._sequence)
        read = self._read_tokens / min(self._read_seconds)
        return Speed(read, 1 / median(self._write_seconds))

    def stop(self) -> None:
        """Give the sequence back; another step begins anew."""
        self._context.remove(self._sequence)
        self._position = 0
        self._read_seconds.clear()
        self._write_seconds.clear()

    def _compute(self, count: int) -> float | None:
        end = self._position + count
        tokens = [n * _STRIDE % self._vocabulary_size for n in range(self._position, end)]
        self._batch.clear()
        self._batch.add(tokens, self._position, self._sequence, outputs=1)
        began = time.perf_counter()
        if self._context.decode(self._batch) != 0:
            return None
        self._position = end
        return max(time.perf_counter() - began, 1e-9)
