"""What the checks remember: the last hour closely, the last month roughly."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

CLOSE_SECONDS: Final = 3600.0
ROUGH_SECONDS: Final = 900.0
ROUGH_ROWS: Final = 30 * 24 * 4
DAY_SECONDS: Final = 86400.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Figures of one moment; `steady` counts seconds whatever happens to the time of day."""

    at: datetime
    steady: float
    values: Mapping[str, float]


@dataclass(slots=True)
class History:
    """Samples in order, forgetting the old ones."""

    _close: deque[Sample] = field(default_factory=deque)
    _rough: deque[Sample] = field(default_factory=lambda: deque(maxlen=ROUGH_ROWS))

    def add(self, sample: Sample) -> None:
        """Remember one more."""
        self._close.append(sample)
        while sample.steady - self._close[0].steady > CLOSE_SECONDS:
            self._close.popleft()
        if not self._rough or sample.steady - self._rough[-1].steady >= ROUGH_SECONDS:
            self._rough.append(sample)

    def recall(self, rows: Iterable[tuple[datetime, Mapping[str, float]]], now: Sample) -> None:
        """Take over rough samples from before the start, as if the time since then was counted."""
        for at, values in rows:
            steady = now.steady - (now.at - at).total_seconds()
            if steady < now.steady:
                self._rough.append(Sample(at, steady, values))

    def over(self, name: str, seconds: float) -> list[float]:
        """Return the values of a figure in the last `seconds`, the oldest first."""
        since = self._close[-1].steady - seconds if self._close else 0.0
        return [s.values[name] for s in self._close if s.steady >= since and name in s.values]

    def has_seen(self, name: str) -> bool:
        """Tell whether the last month had a value of this figure at all."""
        return any(name in sample.values for sample in (*self._close, *self._rough))

    def mean(self, name: str, seconds: float) -> float | None:
        """Return the mean over the last `seconds`; None before half of them have been seen."""
        if not self._close or self._close[-1].steady - self._close[0].steady < seconds / 2:
            return None
        values = self.over(name, seconds)
        return sum(values) / len(values) if values else None

    def growth(self, name: str, seconds: float) -> float:
        """Return by how much a counter rose in the last `seconds`; 0 where it began anew."""
        values = self.over(name, seconds)
        return max(0.0, values[-1] - values[0]) if values else 0.0

    def slope_per_day(self, name: str, days: float) -> tuple[float, float] | None:
        """Return (change per day, days seen) by least squares over the last `days`.

        None before there are three rough samples.
        """
        if not self._rough:
            return None
        last = self._rough[-1].steady
        points = [
            ((s.steady - last) / DAY_SECONDS, s.values[name])
            for s in self._rough
            if last - s.steady <= days * DAY_SECONDS and name in s.values
        ]
        if len(points) < 3:
            return None
        mean_x = sum(x for x, _ in points) / len(points)
        mean_y = sum(y for _, y in points) / len(points)
        spread = sum((x - mean_x) ** 2 for x, _ in points)
        if spread == 0:
            return None
        slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
        return slope, points[-1][0] - points[0][0]
