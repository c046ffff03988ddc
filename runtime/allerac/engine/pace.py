"""How long steps take, and how much fits into the next one."""

from typing import Final

from allerac.engine.protocol import Speed

STREAMING_STEP_SECONDS: Final = 0.150  # others' text must not stutter
SILENT_STEP_SECONDS: Final = 0.500  # nobody is reading along: larger chunks are quicker
FIRST_CHUNK_TOKENS: Final = 16
CHUNK_TOKENS_MIN: Final = 8
_WEIGHT: Final = 0.2  # of the newest measurement
_ANSWER_WEIGHT: Final = 0.3


class Average:
    """Exponentially weighted; None until the first value."""

    def __init__(self, weight: float) -> None:
        self._weight = weight
        self.value: float | None = None

    def add(self, value: float) -> None:
        if self.value is None:
            self.value = value
        else:
            self.value += self._weight * (value - self.value)


class Pace:
    """Learns the seconds of a prompt token, of a streaming step, of an answer."""

    def __init__(self) -> None:
        self._prefill_token = Average(_WEIGHT)
        self._streaming_step = Average(_WEIGHT)
        self._answer = Average(_ANSWER_WEIGHT)

    def record_step(self, streaming: int, prefill: int, seconds: float) -> None:
        """A step computed one token for each of `streaming` answers and `prefill` of prompts."""
        if prefill == 0:
            self._streaming_step.add(seconds)
        else:
            others = (self._streaming_step.value or 0.0) if streaming else 0.0
            self._prefill_token.add(max(seconds - others, seconds * 0.1) / prefill)

    def record_answer(self, seconds: float) -> None:
        self._answer.add(seconds)

    def chunk(self, streaming: int) -> int:
        """Prompt tokens that fit into the next step."""
        if self._prefill_token.value is None:
            return FIRST_CHUNK_TOKENS
        target = SILENT_STEP_SECONDS
        if streaming:
            target = STREAMING_STEP_SECONDS - (self._streaming_step.value or 0.0)
        return max(CHUNK_TOKENS_MIN, int(target / self._prefill_token.value))

    def wait_seconds(self, position: int, sequences: int) -> float | None:
        """Estimated time until the one at `position` begins."""
        if self._answer.value is None:
            return None
        return self._answer.value * position / sequences

    def speed(self) -> Speed:
        token, step = self._prefill_token.value, self._streaming_step.value
        return Speed(1 / token if token else None, 1 / step if step else None)
