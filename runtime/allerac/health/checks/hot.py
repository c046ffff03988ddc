"""The processor is close to the temperature at which it saves itself."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Finding, Severity, View, Words

COOLER: Final = 8.0
"""Degrees below the threshold before it counts as over: heat comes and goes with each answer."""


def _look(view: View) -> Iterator[Finding]:
    heat, limits = view.now.machine.heat, view.now.limits
    if heat is None:
        return
    if heat.celsius >= view.limit(limits.slow_celsius, limits.slow_celsius - COOLER):
        severity: Severity = "critical" if heat.celsius >= limits.pause_celsius else "warning"
        yield Finding(severity, {"celsius": round(heat.celsius)})


CHECK = Check(
    code="hot",
    words={
        "en": Words(
            "The box is hot.",
            "Its processor has {celsius} degrees. Allerac works more slowly until it has cooled "
            "down.",
            "Give it air: keep its openings free, away from sun and heaters.",
        ),
        "de": Words(
            "Die Box ist heiß.",
            "Ihr Prozessor hat {celsius} Grad. Allerac arbeitet langsamer, bis er abgekühlt ist.",
            "Gib ihr Luft: Halte die Öffnungen frei, fern von Sonne und Heizung.",
        ),
    },
    look=_look,
    opens_after_seconds=30,
    closes_after_seconds=60,
)
