"""Heat or the power limit slowed the processor again and again."""

from collections.abc import Iterator
from typing import Final

from allerac.health.check import Check, Finding, View, Words

WINDOW_SECONDS: Final = 600.0
MANY, FEW = 20, 5
"""Events in the window; a few are normal when a load begins."""


def _look(view: View) -> Iterator[Finding]:
    times = view.history.growth("throttle_events", WINDOW_SECONDS)
    if times >= view.limit(MANY, FEW):
        yield Finding("warning", {"times": round(times)})


CHECK = Check(
    code="throttling",
    words={
        "en": Words(
            "The processor slows itself down.",
            "In the last ten minutes it had to slow down {times} times to protect itself.",
            "Dust in the fan or too little air are the usual causes. Blow out the openings and "
            "give the box room.",
        ),
        "de": Words(
            "Der Prozessor bremst sich selbst.",
            "In den letzten zehn Minuten musste er sich {times}-mal schützen und langsamer werden.",
            "Meist ist es Staub im Lüfter oder zu wenig Luft. Puste die Öffnungen aus und gib "
            "der Box Platz.",
        ),
    },
    look=_look,
    closes_after_seconds=120,
)
