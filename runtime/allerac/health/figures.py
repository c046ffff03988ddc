"""The figures that are sampled, kept and drawn: one name for each, and where it comes from."""

from collections.abc import Mapping
from typing import Final

from allerac.hardware.sensors import Reading

from .snapshot import BoxFacts, EngineFacts

FIGURES: Final = (
    "temperature_celsius",
    "cpu_percent",
    "frequency_hertz",
    "throttle_events",
    "power_watts",
    "fan_turns",
    "memory_available_bytes",
    "swap_used_bytes",
    "swapped_pages_per_second",
    "memory_pressure_percent",
    "io_pressure_percent",
    "disk_free_bytes",
    "disk_read_bytes_per_second",
    "disk_written_bytes_per_second",
    "tokens_per_second",
    "queue",
)
"""`throttle_events` counts since boot; the others are what they are at the moment, and there are no
`fan_turns` while no fan turns."""


ENGINE_RESTARTS: Final = "engine_restarts"
"""The counter of the engine's new starts, kept for the last hour."""


def link_changes(name: str) -> str:
    """Return the name of the counter of a link's comings and goings, kept for the last hour."""
    return f"link_changes_{name}"


def unit_restarts(name: str) -> str:
    """Return the name of the counter of a unit's new starts, kept for the last hour."""
    return f"unit_restarts_{name}"


def figures_of(
    now: Reading, before: Reading | None, seconds: float, box: BoxFacts
) -> Mapping[str, float]:
    """Return the figures of `now`; rates are those since `before`, `seconds` ago."""
    found = {**_of_processor(now, before, seconds), **_of_memory(now, before, seconds)}
    found |= _of_disk(now, before, seconds) | _of_engine(box.engine)
    found |= {link_changes(link.name): float(link.changes) for link in now.links}
    found |= {unit_restarts(unit.name): float(unit.restarts) for unit in box.units}
    return {name: float(value) for name, value in found.items() if value is not None}


def _of_engine(engine: EngineFacts | None) -> dict[str, float | None]:
    if engine is None:
        return {}
    return {
        "queue": float(engine.waiting),
        "tokens_per_second": engine.speed,
        ENGINE_RESTARTS: float(engine.restarts),
    }


def _of_processor(now: Reading, before: Reading | None, seconds: float) -> dict[str, float | None]:
    cpu, power = now.cpu, now.power
    cpu_before = before.cpu if before else None
    power_before = before.power if before else None
    return {
        "temperature_celsius": now.heat.celsius if now.heat else None,
        "cpu_percent": cpu.load_since(cpu_before) if cpu else None,
        "frequency_hertz": cpu.hertz if cpu else None,
        "throttle_events": cpu.throttled if cpu else None,
        "power_watts": power.watts_since(power_before, seconds) if power else None,
        "fan_turns": now.fan_turns or None,
    }


def _of_memory(now: Reading, before: Reading | None, seconds: float) -> dict[str, float | None]:
    memory, pressure = now.memory, now.pressure
    found: dict[str, float | None] = {}
    if memory is not None:
        found |= {
            "memory_available_bytes": memory.available,
            "swap_used_bytes": memory.swap_used,
            "swapped_pages_per_second": _rate(
                memory.swapped_pages,
                before.memory.swapped_pages if before and before.memory else None,
                seconds,
            ),
        }
    if pressure is not None:
        found |= {
            "memory_pressure_percent": pressure.memory,
            "io_pressure_percent": pressure.io,
        }
    return found


def _of_disk(now: Reading, before: Reading | None, seconds: float) -> dict[str, float | None]:
    if now.disk is None:
        return {}
    last = before.disk if before else None
    return {
        "disk_free_bytes": now.disk.free,
        "disk_read_bytes_per_second": _rate(now.disk.read, last.read if last else None, seconds),
        "disk_written_bytes_per_second": _rate(
            now.disk.written, last.written if last else None, seconds
        ),
    }


def _rate(now: int, before: int | None, seconds: float) -> float | None:
    """Return the growth of a counter; None when it began anew."""
    if before is None or seconds <= 0 or now < before:
        return None
    return (now - before) / seconds
