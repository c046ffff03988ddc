"""How hot the processor is, from the kernel's thermal zones.

https://docs.kernel.org/driver-api/thermal/sysfs-api.html; all in thousandths of a degree Celsius.
"""

from pathlib import Path
from typing import Final

ZONES: Final = Path("/sys/class/thermal")
THROTTLING_TRIPS: Final = frozenset({"passive", "hot", "critical"})
MARGIN: Final = 5_000
"""Below the trip point: processors slow down a little before the kernel makes them."""

HOT_WITHOUT_TRIPS: Final = 90_000


def is_hot(zones: Path = ZONES) -> bool:
    """Tell whether a zone throttles the machine, or soon will; False where none can be read."""
    return any(_is_zone_hot(zone) for zone in zones.glob("thermal_zone*"))


def _is_zone_hot(zone: Path) -> bool:
    temperature = _number(zone / "temp")
    if temperature is None:
        return False
    trips = [
        limit
        for kind in zone.glob("trip_point_*_type")
        if _text(kind) in THROTTLING_TRIPS
        and (limit := _number(kind.with_name(kind.name.replace("_type", "_temp"))))
    ]
    return temperature >= min(
        (limit - MARGIN for limit in trips if limit > 0), default=HOT_WITHOUT_TRIPS
    )


def _number(path: Path) -> int | None:
    try:
        return int(_text(path))
    except ValueError:
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
