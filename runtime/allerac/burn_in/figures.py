"""How fast the unit's model was in the factory, for whoever estimates waits on the box."""

import json
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from .keeper import NAME


@dataclass(frozen=True, slots=True)
class FactoryFigures:
    """Tokens a second of one model, measured under load by the burn-in of `version`."""

    model_id: str
    version: str
    measured_at: datetime
    prefill_tokens_per_second: float
    decode_tokens_per_second: float


def read_figures(identity: Path | None) -> FactoryFigures | None:
    """Return what the birth certificate says of the model's speed, None where it says nothing."""
    if identity is None:
        return None
    try:
        body = json.loads((identity / NAME).read_bytes())["certificate"]
        (measured,) = [one["measured"] for one in body["checks"] if one["name"] == "inference"]
        return FactoryFigures(
            model_id=str(measured["model"]),
            version=str(body["version"]),
            measured_at=_moment(body["ended_at"]),
            prefill_tokens_per_second=_speed(measured["prefill_tokens_per_second"]),
            decode_tokens_per_second=_speed(measured["decode_tokens_per_second"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time of nowhere")
    return moment


def _speed(told: Any) -> float:
    speed = float(told)
    if not (math.isfinite(speed) and speed > 0):
        raise ValueError("no speed")
    return speed
