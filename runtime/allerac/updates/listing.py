"""What the catalogue is asked with, and what it answers."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .offer import Offer


@dataclass(frozen=True, slots=True)
class Listing:
    """What the server offers; `proven_at` is a time that has passed for certain."""

    offers: tuple[Offer, ...]
    proven_at: datetime


@dataclass(frozen=True, slots=True)
class Trust:
    """Where the box's trust begins: the image's root of keys, and when the image was made."""

    root_file: Path
    built_at: datetime


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """`silence_seconds` without a byte, and `total_seconds` for one look at the catalogue."""

    silence_seconds: float = 20.0
    total_seconds: float = 120.0
