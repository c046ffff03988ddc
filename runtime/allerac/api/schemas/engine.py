"""The engine's speed on this machine."""

from .shapes import Response, Timestamp


class Calibration(Response):
    """Tokens a second of one model, measured while the box was idle."""

    model_id: str
    version: str
    measured_at: Timestamp
    prefill_tokens_per_second: float
    decode_tokens_per_second: float


class Honesty(Response):
    """How far off the told times to the first word were; `median_error` 0.2 is 20 %."""

    estimates: int
    median_error: float | None


class SpeedRecord(Response):
    """All that is measured."""

    calibrations: list[Calibration]
    honesty: Honesty
